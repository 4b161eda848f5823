//! The parameters of a view, as they come in an address.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::error::ViewError;

/// Names and values; an empty value counts as not given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a>(&'a BTreeMap<String, String>);

impl<'a> Asked<'a> {
    /// Refuses names that the view does not know: a filter that is ignored would show the wrong records.
    pub(crate) fn new(parameters: &'a BTreeMap<String, String>, known: &[&str]) -> Result<Self, ViewError> {
        match parameters.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self(parameters)),
            Some(name) if known.is_empty() => {
                Err(ViewError::bad_request(format!("unknown parameter `{name}`: this view has none")))
            }
            Some(name) => Err(ViewError::bad_request(format!(
                "unknown parameter `{name}`: this view knows {}",
                known.join(", ")
            ))),
        }
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    pub(crate) fn required(self, name: &str) -> Result<&'a str, ViewError> {
        self.text(name).ok_or_else(|| ViewError::bad_request(format!("parameter `{name}` is missing")))
    }

    pub(crate) fn number<T: FromStr>(self, name: &str) -> Result<Option<T>, ViewError> {
        let parsed = self.text(name).map(|value| {
            value.trim().parse().map_err(|_| {
                ViewError::bad_request(format!("parameter `{name}` is `{value}`: give a number"))
            })
        });
        parsed.transpose()
    }

    /// One of these words.
    pub(crate) fn choice(
        self,
        name: &str,
        choices: &[&'static str],
    ) -> Result<Option<&'static str>, ViewError> {
        let found = self.text(name).map(|value| {
            choices.iter().find(|choice| **choice == value).copied().ok_or_else(|| {
                ViewError::bad_request(format!(
                    "parameter `{name}` is `{value}`: give one of {}",
                    choices.join(", ")
                ))
            })
        });
        found.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_and_values_are_refused_by_name() {
        let parameters = BTreeMap::from([("page".to_owned(), "two".to_owned())]);
        let fault = Asked::new(&parameters, &["sort"]).expect_err("unknown").message;
        assert_eq!(fault, "unknown parameter `page`: this view knows sort");
        let asked = Asked::new(&parameters, &["page"]).expect("known");
        let fault = asked.number::<u32>("page").expect_err("no number").message;
        assert_eq!(fault, "parameter `page` is `two`: give a number");
        let fault = asked.choice("page", &["first", "last"]).expect_err("no choice").message;
        assert_eq!(fault, "parameter `page` is `two`: give one of first, last");
        assert_eq!(asked.required("sort").expect_err("missing").message, "parameter `sort` is missing");
    }
}
