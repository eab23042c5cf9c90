//! What the environment says of language and characters.

use crate::lang::Lang;

/// The language of the environment's locale, in the order POSIX gives its variables.
pub(super) fn language() -> Lang {
    Lang::of_locale(&named(["LC_ALL", "LC_MESSAGES", "LANG"]).unwrap_or_default())
}

/// Whether more than ASCII can be shown. Where no locale is named at all, as in many a container, it can:
/// only the locale C, and one of another encoding than UTF-8, say that it cannot.
pub(super) fn has_unicode() -> bool {
    named(["LC_ALL", "LC_CTYPE", "LANG"]).is_none_or(|locale| is_unicode(&locale))
}

fn named(variables: [&str; 3]) -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    variables.into_iter().find_map(set)
}

fn is_unicode(locale: &str) -> bool {
    let (name, encoding) =
        locale.split('@').next().unwrap_or_default().split_once('.').unwrap_or((locale, ""));
    match encoding.to_ascii_lowercase().as_str() {
        "" => !matches!(name, "C" | "POSIX"),
        encoding => matches!(encoding, "utf-8" | "utf8"),
    }
}

#[cfg(test)]
mod tests {
    use super::is_unicode;

    #[test]
    fn locales_that_have_more_than_ascii() {
        for locale in ["C.UTF-8", "C.utf8", "en_US.UTF-8", "zh_CN", "de_DE.utf8@euro", "en"] {
            assert!(is_unicode(locale), "{locale}");
        }
        for locale in ["C", "POSIX", "en_US.ISO-8859-1", "zh_CN.GB18030", "de_DE.iso885915@euro"] {
            assert!(!is_unicode(locale), "{locale}");
        }
    }
}
