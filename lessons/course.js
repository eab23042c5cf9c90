// The site is one book in two languages: a Chinese page says so, for screen readers,
// hyphenation and the choice of glyphs.
if (location.pathname.endsWith("/zh.html")) {
    document.documentElement.lang = "zh-CN";
}
