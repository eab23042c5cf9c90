//! How rules and fields are declared: a row each, the same way in every layer.

/// Declares rules and a list of them.
///
/// A row may say with which Close code a receiver fails the connection because of it, and what is
/// usually behind it.
///
/// ```text
/// rules! {
///     /// The rules of this protocol.
///     RULES;
///     NAME = "id", Error, Cite::rfc6455("5.1"), Client,
///         "what is wrong",
///         "what a conforming receiver does about it",
///         fails 1002,
///         usually "what is behind it", mend "what to change";
/// }
/// ```
macro_rules! rules {
    ($(#[$doc:meta])* $list:ident;
     $($(#[$about:meta])* $name:ident = $id:literal, $severity:ident, $cite:expr, $who:ident,
       $title:literal, $consequence:expr
       $(, fails $code:literal)? $(, usually $what:literal, mend $fix:literal)?;)*
    ) => {
        $(
            #[allow(clippy::doc_markdown, reason = "shown to people as it stands")]
            #[doc = $title]
            $(#[doc = ""] #[$about])*
            pub static $name: $crate::model::Rule = $crate::model::Rule {
                id: $id,
                severity: $crate::model::Severity::$severity,
                cite: $cite,
                who: $crate::model::Who::$who,
                title: $title,
                consequence: $consequence,
                fails: $crate::model::optional!($($crate::model::CloseCode($code))?),
                usually: $crate::model::optional!($($crate::model::Usual { what: $what, fix: $fix })?),
            };
        )*
        $(#[$doc])*
        pub static $list: &[&$crate::model::Rule] = &[$(&$name),*];
    };
}

/// Declares kinds of fields and a list of them.
///
/// ```text
/// fields! {
///     /// The fields of this protocol.
///     FIELDS;
///     NAME = "ws.fin", "FIN", Cite::rfc6455("5.2"), "Whether this is the last fragment of its message.";
/// }
/// ```
///
/// A row may end with the [`Role`](crate::model::Role) that its field has in views.
///
/// ```text
///     NAME = "ws.rsv1", "RSV1", Cite::rfc6455("5.2"), "0 unless an extension gives it a meaning.", Reserved;
/// ```
macro_rules! fields {
    ($(#[$doc:meta])* $list:ident;
     $($name:ident = $id:literal, $label:literal, $cite:expr, $help:literal $(, $role:ident)?;)*
    ) => {
        $(
            #[allow(clippy::doc_markdown, reason = "shown to people as it stands")]
            #[doc = $help]
            pub static $name: $crate::model::FieldDef = $crate::model::FieldDef {
                id: $id,
                label: $label,
                help: $help,
                cite: $cite,
                role: $crate::model::role!($($role)?),
            };
        )*
        $(#[$doc])*
        pub static $list: &[&$crate::model::FieldDef] = &[$(&$name),*];
    };
}

/// A field's role; plain where its row names none.
macro_rules! role {
    () => {
        $crate::model::Role::Plain
    };
    ($role:ident) => {
        $crate::model::Role::$role
    };
}

/// What a row may leave out.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

pub(crate) use {fields, optional, role, rules};
