//! What speaks JSON-RPC, by the names of its methods, and what codes of errors mean.

use crate::app::json;
use crate::model::Text;

/// A protocol that is made of JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The Language Server Protocol.
    Lsp,
    /// The Model Context Protocol.
    Mcp,
    /// What nodes of Ethereum are asked.
    Ethereum,
}

/// How the names of methods begin, in order and none of them as another one does, and of what.
const METHODS: &[(&str, Family)] = &[
    ("$/cancelRequest", Family::Lsp),
    ("$/logTrace", Family::Lsp),
    ("$/progress", Family::Lsp),
    ("$/setTrace", Family::Lsp),
    ("callHierarchy/", Family::Lsp),
    ("client/registerCapability", Family::Lsp),
    ("client/unregisterCapability", Family::Lsp),
    ("codeAction/resolve", Family::Lsp),
    ("codeLens/resolve", Family::Lsp),
    ("completion/complete", Family::Mcp),
    ("completionItem/resolve", Family::Lsp),
    ("documentLink/resolve", Family::Lsp),
    ("elicitation/create", Family::Mcp),
    ("eth_", Family::Ethereum),
    ("inlayHint/resolve", Family::Lsp),
    ("logging/setLevel", Family::Mcp),
    ("net_version", Family::Ethereum),
    ("notebookDocument/did", Family::Lsp),
    ("notifications/cancelled", Family::Mcp),
    ("notifications/initialized", Family::Mcp),
    ("notifications/message", Family::Mcp),
    ("notifications/progress", Family::Mcp),
    ("notifications/prompts/list_changed", Family::Mcp),
    ("notifications/resources/", Family::Mcp),
    ("notifications/roots/list_changed", Family::Mcp),
    ("notifications/tools/list_changed", Family::Mcp),
    ("prompts/get", Family::Mcp),
    ("prompts/list", Family::Mcp),
    ("resources/list", Family::Mcp),
    ("resources/read", Family::Mcp),
    ("resources/subscribe", Family::Mcp),
    ("resources/templates/list", Family::Mcp),
    ("resources/unsubscribe", Family::Mcp),
    ("roots/list", Family::Mcp),
    ("sampling/createMessage", Family::Mcp),
    ("telemetry/event", Family::Lsp),
    ("textDocument/", Family::Lsp),
    ("tools/call", Family::Mcp),
    ("tools/list", Family::Mcp),
    ("typeHierarchy/", Family::Lsp),
    ("web3_", Family::Ethereum),
    ("window/logMessage", Family::Lsp),
    ("window/showDocument", Family::Lsp),
    ("window/showMessage", Family::Lsp),
    ("window/workDoneProgress", Family::Lsp),
    ("workspace/applyEdit", Family::Lsp),
    ("workspace/configuration", Family::Lsp),
    ("workspace/didChange", Family::Lsp),
    ("workspace/executeCommand", Family::Lsp),
    ("workspace/symbol", Family::Lsp),
    ("workspace/workspaceFolders", Family::Lsp),
];

impl Family {
    /// What a method is of, if its name or its parameters show that.
    pub fn of(method: &str, params: Option<&str>) -> Option<Self> {
        if method == "initialize" {
            // Both begin so; one says which version of the protocol it speaks, the other which process it is.
            let params = params?;
            let has = |key: &str| json::member(params, key).is_some();
            return match (has("protocolVersion"), has("capabilities")) {
                (true, _) => Some(Self::Mcp),
                (false, true) => Some(Self::Lsp),
                _ => None,
            };
        }
        // Plain JSON-RPC has none of them, and asks for each message: the last that is not behind it.
        let before = METHODS.partition_point(|(begin, _)| *begin <= method).checked_sub(1)?;
        let (begin, family) = METHODS[before];
        method.starts_with(begin).then_some(family)
    }

    /// As it is called for short.
    pub fn short(self) -> &'static str {
        match self {
            Self::Lsp => "LSP",
            Self::Mcp => "MCP",
            Self::Ethereum => "Ethereum",
        }
    }

    /// Its name.
    pub fn name(self) -> Text {
        Text::with(
            "{}",
            match self {
                Self::Lsp => "Language Server Protocol",
                Self::Mcp => "Model Context Protocol",
                Self::Ethereum => "Ethereum",
            },
        )
    }
}

/// What a code means, of JSON-RPC itself or of the Language Server Protocol.
pub fn code(literal: &str) -> Option<Text> {
    let name = match literal {
        "-32700" => "Parse error",
        "-32600" => "Invalid Request",
        "-32601" => "Method not found",
        "-32602" => "Invalid params",
        "-32603" => "Internal error",
        "-32800" => "RequestCancelled",
        "-32801" => "ContentModified",
        "-32802" => "ServerCancelled",
        "-32803" => "RequestFailed",
        "-32002" => "ServerNotInitialized",
        _ => return None,
    };
    Some(Text::with("{}", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(METHODS.windows(2).all(|two| two[0].0 < two[1].0 && !two[1].0.starts_with(two[0].0)));
        for (begin, family) in METHODS {
            let longer = format!("{begin}~");
            assert_eq!((Family::of(begin, None), Family::of(&longer, None)), (Some(*family), Some(*family)));
        }
    }

    #[test]
    fn methods_show_what_speaks() {
        for (method, params, family) in [
            ("textDocument/hover", None, Some(Family::Lsp)),
            ("initialize", Some(r#"{"processId":1,"capabilities":{}}"#), Some(Family::Lsp)),
            ("initialize", Some(r#"{"protocolVersion":"2025-06-18","capabilities":{}}"#), Some(Family::Mcp)),
            ("sampling/createMessage", None, Some(Family::Mcp)),
            ("eth_subscribe", None, Some(Family::Ethereum)),
            ("sum", None, None),
            ("client/name", None, None),
        ] {
            assert_eq!(Family::of(method, params), family, "{method}");
        }
        assert_eq!(code("-32601").map(|it| it.to_string()).as_deref(), Some("Method not found"));
        assert_eq!(code("7"), None);
    }
}
