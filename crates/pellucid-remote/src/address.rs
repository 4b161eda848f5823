//! Which model an address names, and in which protocol.

use crate::error::Error;

/// How a served model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Open Inference Protocol V2: `…/v2/models/NAME` or `…/v2/models/NAME/versions/VERSION`.
    V2,
    /// KServe V1: `…/v1/models/NAME:predict`.
    V1,
}

/// The address of one served model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `http://host:port/v2/models/NAME`, without what the protocol adds behind.
    base: String,
    /// The model's name.
    name: String,
    protocol: Protocol,
}

impl Address {
    /// Whether a text is meant as an address, and not as a file.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("http://") || text.starts_with("https://")
    }

    /// Reads an address; `:predict`, `/infer` and a slash at the end may be there.
    ///
    /// ```
    /// use pellucid_remote::{Address, Protocol};
    ///
    /// let address = Address::parse("http://localhost:8080/v2/models/credit/infer")?;
    /// assert_eq!((address.name(), address.protocol()), ("credit", Protocol::V2));
    /// # Ok::<(), pellucid_remote::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Address`] for what is no address of a served model, or holds a password.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::Address { address: text.to_owned(), reason: reason.to_owned() };
        if !Self::is_one(text) {
            return Err(fault("does not begin with http:// or https://"));
        }
        let (_, rest) = text.split_once("://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() {
            return Err(fault("names no host"));
        }
        if host.contains('@') {
            // What is written on a command line is read by others; and the text could be meant to look like another host.
            return Err(fault(
                "holds a user name or password; give a token with the option `token_file` instead",
            ));
        }
        if rest.contains(['?', '#', ' ']) {
            return Err(fault("holds a query, a fragment or a blank"));
        }
        let base = text.trim_end_matches('/');
        let base = base.strip_suffix("/infer").or_else(|| base.strip_suffix(":predict")).unwrap_or(base);
        let protocol = match (base.contains("/v2/models/"), base.contains("/v1/models/")) {
            (true, _) => Protocol::V2,
            (_, true) => Protocol::V1,
            _ => return Err(fault("names no model; write …/v2/models/NAME or …/v1/models/NAME:predict")),
        };
        let (_, name) = base.rsplit_once("/models/").unwrap_or_default();
        let name = name.split('/').next().unwrap_or_default().to_owned();
        match name.is_empty() {
            true => Err(fault("names no model behind /models/")),
            false => Ok(Self { base: base.to_owned(), name, protocol }),
        }
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The protocol that its path tells.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Where the server says what the model takes and gives.
    pub(crate) fn metadata(&self) -> String {
        self.base.clone()
    }

    /// Where it predicts.
    pub(crate) fn predict(&self) -> String {
        match self.protocol {
            Protocol::V2 => format!("{}/infer", self.base),
            Protocol::V1 => format!("{}:predict", self.base),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, Protocol, &str), &str>) {
        match (Address::parse(text), expected) {
            (Ok(address), Ok((name, protocol, predict))) => {
                assert_eq!((address.name(), address.protocol()), (name, protocol));
                assert_eq!(address.predict(), predict);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (address, expected) => panic!("{address:?} against {expected:?}"),
        }
    }

    #[test]
    fn addresses_name_model_and_protocol() {
        let infer = "http://h:1/v2/models/m/infer";
        check("http://h:1/v2/models/m", Ok(("m", Protocol::V2, infer)));
        check("http://h:1/v2/models/m/", Ok(("m", Protocol::V2, infer)));
        check(infer, Ok(("m", Protocol::V2, infer)));
        let version = "https://h/a/v2/models/m/versions/3";
        check(version, Ok(("m", Protocol::V2, "https://h/a/v2/models/m/versions/3/infer")));
        check("http://h/v1/models/m:predict", Ok(("m", Protocol::V1, "http://h/v1/models/m:predict")));
        check("http://h/v1/models/m", Ok(("m", Protocol::V1, "http://h/v1/models/m:predict")));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        check("ftp://h/v2/models/m", Err("http://"));
        check("http:///v2/models/m", Err("no host"));
        check("http://user:word@h/v2/models/m", Err("password"));
        check("http://h/v2/models/m?x=1", Err("query"));
        check("http://h/predict", Err("names no model"));
        check("http://h/v2/models/", Err("names no model"));
    }
}
