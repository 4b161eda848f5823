//! What every page of HTML has: one file that needs no other, and a policy that lets nothing else load or run.

use base64::prelude::{BASE64_STANDARD, Engine};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// A page's style sheet beyond the common one, its script, and what it shows.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) style: &'a str,
    pub(crate) script: Option<&'a str>,
    pub(crate) body: Markup,
}

impl Page<'_> {
    pub(crate) fn into_html(self) -> String {
        let script = self.script.map(str::trim);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy(script));
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    style { (PreEscaped(common_style() + self.style)) }
                }
                body {
                    (self.body)
                    @if let Some(script) = script { script { (PreEscaped(script)) } }
                }
            }
        };
        page.into_string()
    }
}

/// Nothing is loaded or run but what the page holds, whatever a text may try; of scripts, this one alone.
fn policy(script: Option<&str>) -> String {
    let policy = "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'";
    match script {
        Some(script) => {
            let digest = BASE64_STANDARD.encode(Sha256::digest(script.as_bytes()));
            format!("{policy}; script-src 'sha256-{digest}'")
        }
        None => policy.to_owned(),
    }
}

/// The style sheet of every page, with the carried font in it.
fn common_style() -> String {
    let face = |weight: &str, bytes: &[u8]| {
        format!(
            "@font-face{{font-family:Inter;font-weight:{weight};\
             src:url(data:font/woff2;base64,{}) format('woff2')}}\n",
            BASE64_STANDARD.encode(bytes)
        )
    };
    face("400", include_bytes!("../font/Inter-Regular.woff2"))
        + &face("600", include_bytes!("../font/Inter-SemiBold.woff2"))
        + include_str!("page.css")
}

/// The head of a page of sections: its title, a paragraph, facts, and links to the sections, where there are several.
pub(crate) fn header(
    title: &str,
    lead: &str,
    facts: &[(String, String)],
    links: (&str, &[(String, &str)]),
) -> Markup {
    let (name, links) = links;
    html! {
        header {
            h1 { (title) }
            @if !lead.is_empty() { p.lead { (lead) } }
            @if !facts.is_empty() {
                dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
            }
            @if links.len() > 1 {
                nav aria-label=(name) {
                    @for (anchor, heading) in links { a href={ "#" (anchor) } { (heading) } }
                }
            }
        }
    }
}
