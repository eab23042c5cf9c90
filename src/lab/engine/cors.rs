//! Requests of pages from elsewhere (the CORS protocol of the Fetch standard).

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::settings::{Cors, Origins};
use crate::lab::answer::Answer;

/// What the reference lets other origins do.
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");

impl Cors {
    /// Whether a request may be served. One that names no origin, or its server's own, may.
    pub fn admits<B>(&self, request: &Request<B>) -> bool {
        let (Origins::List(origins), Some(origin)) = (&self.origins, request.headers().get(header::ORIGIN))
        else {
            return true;
        };
        let origin = origin.as_bytes();
        let own = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
        let host = origin.splitn(3, |byte| *byte == b'/').nth(2);
        origins.iter().any(|known| known.as_bytes() == origin) || (own.is_some() && host == own)
    }

    /// The answer to the question that a browser asks before it sends a request; `None` of other requests,
    /// and where other origins are not known.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response<Answer>> {
        if request.method() != Method::OPTIONS || self.origins == Origins::Same {
            return None;
        }
        let mut response = Response::new(Answer::whole(""));
        *response.status_mut() = StatusCode::NO_CONTENT;
        let fields = response.headers_mut();
        fields.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        if let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            fields.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            fields.append(header::VARY, name(&header::ACCESS_CONTROL_REQUEST_HEADERS));
        }
        Some(response)
    }

    /// What an answer says of who may read it, as an answer to a request with these fields.
    pub fn mark(&self, asked: &HeaderMap, fields: &mut HeaderMap) {
        let Some(allowed) = self.allowed(asked) else { return };
        let varies = allowed != "*";
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if varies {
            fields.append(header::VARY, name(&header::ORIGIN));
        }
        if self.credentials {
            fields.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    fn allowed(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let origin = asked.get(header::ORIGIN);
        match &self.origins {
            Origins::Same => None,
            // With credentials `*` counts as nothing.
            Origins::Any if self.credentials && origin.is_some() => origin.cloned(),
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::List(origins) => origin
                .filter(|origin| origins.iter().any(|known| known.as_bytes() == origin.as_bytes()))
                .cloned(),
        }
    }
}

fn name(of: &HeaderName) -> HeaderValue {
    // A field's name is one of the values that there can be.
    HeaderValue::from_str(of.as_str()).unwrap_or(HeaderValue::from_static("*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, origin: &str) -> Request<()> {
        Request::builder()
            .method(method)
            .header("host", "lab:9000")
            .header("origin", origin)
            .header("access-control-request-headers", "x-token")
            .body(())
            .unwrap()
    }

    fn marked(cors: &Cors, origin: &str) -> String {
        let mut fields = HeaderMap::new();
        cors.mark(request(Method::GET, origin).headers(), &mut fields);
        let shown = fields.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn answers_say_who_may_read_them() {
        let page = "http://page:80";
        let mut cors = Cors::default();
        assert_eq!(marked(&cors, page), "");
        cors.origins = Origins::Any;
        assert_eq!(marked(&cors, page), "access-control-allow-origin: *");
        cors.credentials = true;
        let all = "access-control-allow-origin: http://page:80, vary: origin, \
                   access-control-allow-credentials: true";
        assert_eq!(marked(&cors, page), all);
        cors.origins = Origins::List(vec![page.to_owned()]);
        assert_eq!(marked(&cors, page), all);
        assert_eq!(marked(&cors, "http://elsewhere"), "");
    }

    #[test]
    fn others_than_those_listed_are_refused() {
        let cors = Cors { origins: Origins::List(vec!["http://page".to_owned()]), credentials: false };
        assert!(cors.admits(&request(Method::GET, "http://page")));
        assert!(cors.admits(&request(Method::GET, "http://lab:9000")), "its own page");
        for stranger in ["http://page:81", "https://page", "null", "http://lab", ""] {
            assert!(!cors.admits(&request(Method::GET, stranger)), "{stranger}");
        }
        assert!(cors.admits(&Request::new(())), "no browser");
    }

    #[test]
    fn a_question_is_answered_before_the_request() {
        let mut cors = Cors::default();
        assert!(cors.preflight(&request(Method::OPTIONS, "http://page")).is_none());
        cors.origins = Origins::Any;
        assert!(cors.preflight(&request(Method::GET, "http://page")).is_none());
        let answer = cors.preflight(&request(Method::OPTIONS, "http://page")).unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()["access-control-allow-headers"], "x-token");
        assert_eq!(answer.headers()["access-control-allow-methods"], METHODS);
    }
}
