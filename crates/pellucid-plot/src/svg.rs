//! The few SVG elements that drawings are made of.

use maud::{Markup, html};

use crate::font::Font;

/// A whole SVG file of `width` by `height` units on white. `description` says in words what is drawn.
pub(crate) fn document(width: u32, height: u32, description: &str, body: &Markup) -> String {
    let description = xml_text(description);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) }
            role="img" aria-label=(description) {
            title { (description) }
            rect width=(width) height=(height) fill="#ffffff" {}
            (body)
        }
    }
    .into_string()
}

/// `text` as outlines, from `x` on, standing on `baseline`.
pub(crate) fn text(font: &Font, text: &str, size: f64, at: (f64, f64), fill: &str) -> Markup {
    html! { g fill=(fill) { (font.letters(text, size, at)) } }
}

/// `body` behind the outlines of its letters.
pub(crate) fn with_letters(fonts: [&Font; 2], body: &Markup) -> Markup {
    html! {
        defs { @for font in fonts { (font.definitions()) } }
        (body)
    }
}

/// `text` without the characters that no XML file may hold, escaped or not (XML 1.0, production 2).
pub(crate) fn xml_text(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_descriptions_stay_text() {
        let hostile = "</title><script>alert('1')</script> \"x\" & \u{0}\u{b}\u{ffff}";
        let svg = document(10, 10, hostile, &html! {});
        assert!(!svg.contains("<script"));
        let tree = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
        let title = tree.descendants().find(|node| node.has_tag_name("title")).unwrap();
        assert_eq!(
            title.text(),
            Some("</title><script>alert('1')</script> \"x\" & \u{fffd}\u{fffd}\u{fffd}")
        );
        assert_eq!(tree.root_element().attribute("aria-label"), title.text());
    }
}
