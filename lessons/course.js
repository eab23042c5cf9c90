// The site is one book in two languages. A Chinese page says so, for screen readers,
// hyphenation and the choice of glyphs, and each page of a lesson leads to the other.
const [, folder, language] = location.pathname.match(/\/(\d\d-[^/]+\/)(en|zh)\.html$/) ?? [];
if (language === "zh") {
    document.documentElement.lang = "zh-CN";
    // A line that ends in a page's source is no space between two Chinese characters.
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const broken = /(?<=[\u3000-\u303F\u4E00-\u9FFF\uFF00-\uFFEF])\n(?=[\u3000-\u303F\u4E00-\u9FFF\uFF00-\uFFEF])/g;
    while (texts.nextNode()) {
        const text = texts.currentNode;
        if (!text.parentElement.closest("pre")) {
            text.data = text.data.replace(broken, "");
        }
    }
}
if (folder) {
    const other = document.createElement("a");
    const [lang, name, page] = language === "zh" ? ["en", "English", "en.html"] : ["zh-CN", "中文", "zh.html"];
    Object.assign(other, { lang, hreflang: lang, textContent: name, href: page, className: "language" });
    document.querySelector("main").prepend(other);
}
