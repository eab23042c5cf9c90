//! Methods of HTTP.

/// Those of RFC 9110 §9.1, and PATCH (RFC 5789).
pub const METHODS: [&[u8]; 9] =
    [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];
