//! Writes the session's token into every form of a page.
//!
//! In one place, so that no page can forget it; the guard of the address asks for it with every change.

use axum::body::{Body, to_bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::office::FORM_TOKEN;
use crate::app::office::guard::FormToken;

/// Larger than any page of ours.
const PAGE_MAX: usize = 8 * 1024 * 1024;

/// Stamps the forms of a page made for somebody with a session; leaves everything else alone.
pub(super) async fn stamp(mut response: Response) -> Response {
    let Some(FormToken(token)) = response.extensions_mut().remove() else {
        return response;
    };
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if !is_page {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, PAGE_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    match std::str::from_utf8(&bytes) {
        Ok(page) => Response::from_parts(parts, Body::from(stamped(page, &token))),
        Err(_) => Response::from_parts(parts, Body::from(bytes)),
    }
}

/// `page` with a hidden field behind the first tag of each form that changes something.
fn stamped(page: &str, token: &str) -> String {
    let field = format!("<input type=\"hidden\" name=\"{FORM_TOKEN}\" value=\"{token}\">");
    let mut out = String::with_capacity(page.len() + 8 * field.len());
    let mut rest = page;
    while let Some(at) = rest.find("<form ") {
        // Templates escape what people wrote, so a `>` ends the tag.
        let Some(end) = rest[at..].find('>').map(|end| at + end + 1) else {
            break;
        };
        let (tag, after) = rest.split_at(end);
        out.push_str(tag);
        if tag[at..].contains("method=\"post\"") {
            out.push_str(&field);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::stamped;

    #[test]
    fn every_form_that_changes_something_carries_the_token() {
        let page = "<p>a</p><form method=\"get\" action=\"/f\"><input></form>\
            <form class=\"x\" method=\"post\" action=\"/g\"><button>b</button></form><form method=\"post\"></form>";
        let wanted = "<p>a</p><form method=\"get\" action=\"/f\"><input></form>\
            <form class=\"x\" method=\"post\" action=\"/g\"><input type=\"hidden\" name=\"form-token\" value=\"T\">\
            <button>b</button></form><form method=\"post\"><input type=\"hidden\" name=\"form-token\" value=\"T\"></form>";
        assert_eq!(stamped(page, "T"), wanted);
        assert_eq!(stamped("no form", "T"), "no form");
    }
}
