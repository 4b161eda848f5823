//! A folder → the models that are served from it, always whole, exchanged when their files change.

mod options;
pub(crate) mod plan;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod served;
pub(crate) mod settings;
pub(crate) mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use scan::{Found, Stamp};
use served::{Runtimes, Served};

use crate::error::Fault;

/// The models of a folder.
pub(crate) struct Folder {
    root: PathBuf,
    runtimes: Runtimes,
    served: RwLock<BTreeMap<(String, VersionOrder), Arc<Served>>>,
    /// What was last seen of each model's files, whether it is served or not.
    seen: Mutex<BTreeMap<(String, String), Seen>>,
    faults: RwLock<BTreeMap<String, String>>,
}

struct Seen {
    stamp: Stamp,
    digest: [u8; 32],
    /// What is wrong with these files, where something is.
    fault: Option<String>,
}

/// Versions that are numbers stand in the order of numbers, before those that are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum VersionOrder {
    Number(u64, String),
    Text(String),
}

impl VersionOrder {
    fn of(version: &str) -> Self {
        match version.parse() {
            Ok(number) => Self::Number(number, version.to_owned()),
            Err(_) => Self::Text(version.to_owned()),
        }
    }
}

impl Folder {
    /// Opens all models of a folder; what is wrong with single ones is in [`Folder::faults`].
    ///
    /// # Errors
    /// A folder that is none.
    pub(crate) fn open(root: &Path, runtimes: Runtimes) -> Result<Self, Fault> {
        let fault = |error: std::io::Error| Fault::Unprocessable(format!("{}: {error}", root.display()));
        let root = root.canonicalize().map_err(fault)?;
        let folder = Self {
            root,
            runtimes,
            served: RwLock::default(),
            seen: Mutex::default(),
            faults: RwLock::default(),
        };
        folder.refresh();
        Ok(folder)
    }

    /// Looks for changes; gives what happened, for the server's own log.
    pub(crate) fn refresh(&self) -> Vec<String> {
        let mut news = Vec::new();
        let mut faults = BTreeMap::new();
        let findings = match scan::models(&self.root) {
            Ok(findings) => findings,
            Err(error) => return vec![format!("the folder of models cannot be read: {error}")],
        };
        let mut present = BTreeSet::new();
        for (name, found) in findings {
            let fault = match found {
                Ok(found) => {
                    present.insert((found.name.clone(), VersionOrder::of(&found.version)));
                    self.look_at(&found, &mut news).err()
                }
                Err(reason) => {
                    // What there was is served on until its folder is gone or whole again.
                    present.extend(
                        self.versions(&name)
                            .into_iter()
                            .map(|it| (name.clone(), VersionOrder::of(&it.version))),
                    );
                    Some(reason)
                }
            };
            if let Some(fault) = fault {
                // One fault of several versions tells that there is something to mend.
                faults.entry(name).or_insert(fault);
            }
        }
        self.drop_absent(&present, &mut news);
        let mut known = self.faults.write().unwrap_or_else(PoisonError::into_inner);
        news.extend(
            faults
                .iter()
                .filter(|(name, fault)| known.get(*name) != Some(*fault))
                .map(|(name, fault)| format!("model {name}: {fault}")),
        );
        *known = faults;
        news
    }

    /// Exchanges a model whose files changed, once all of it is ready and was not written to meanwhile.
    fn look_at(&self, found: &Found, news: &mut Vec<String>) -> Result<(), String> {
        let key = (found.name.clone(), found.version.clone());
        let io = |error: std::io::Error| error.to_string();
        let stamp = found.stamp().map_err(io)?;
        let mut all_seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all_seen.get_mut(&key);
        if let Some(seen) = before.as_ref().filter(|seen| seen.stamp == stamp) {
            return seen.fault.clone().map_or(Ok(()), Err);
        }
        let digest = found.digest().map_err(io)?;
        if let Some(seen) = before.filter(|seen| seen.digest == digest) {
            seen.stamp = stamp;
            return seen.fault.clone().map_or(Ok(()), Err);
        }
        let opened = Served::open(&self.root, found, &digest, &self.runtimes);
        if found.digest().map_err(io)? != digest {
            return Err("is being written to; looked at again at the next turn".to_owned());
        }
        let opened = opened.map_err(|fault| fault.to_string());
        all_seen.insert(key, Seen { stamp, digest, fault: opened.as_ref().err().cloned() });
        let served = opened?;
        news.push(format!(
            "model {} version {}: served, digest {}",
            served.name,
            served.version,
            served.digest()
        ));
        let place = (found.name.clone(), VersionOrder::of(&found.version));
        self.served.write().unwrap_or_else(PoisonError::into_inner).insert(place, Arc::new(served));
        Ok(())
    }

    fn drop_absent(&self, present: &BTreeSet<(String, VersionOrder)>, news: &mut Vec<String>) {
        let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
        served.retain(|key, model| {
            let stays = present.contains(key);
            if !stays {
                news.push(format!("model {} version {}: gone, no longer served", model.name, model.version));
            }
            stays
        });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|(name, version), _| present.contains(&(name.clone(), VersionOrder::of(version))));
    }

    fn fault_of(&self, name: &str) -> Option<String> {
        self.faults.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// What is wrong with models that are there, by name.
    pub(crate) fn faults(&self) -> BTreeMap<String, String> {
        self.faults.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All models, in order.
    pub(crate) fn all(&self) -> Vec<Arc<Served>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The versions of a model, the newest last.
    pub(crate) fn versions(&self, name: &str) -> Vec<Arc<Served>> {
        self.all().into_iter().filter(|served| served.name == name).collect()
    }

    /// A model by name, and its newest version where none is named.
    ///
    /// # Errors
    /// A model or version that is not there; one that is there and broken.
    pub(crate) fn model(&self, name: &str, version: Option<&str>) -> Result<Arc<Served>, Fault> {
        let versions = self.versions(name);
        let found = match version {
            None => versions.last(),
            Some(version) => versions.iter().find(|served| served.version == version),
        };
        if let Some(found) = found {
            return Ok(found.clone());
        }
        match (self.fault_of(name), version) {
            (Some(fault), _) if versions.is_empty() => {
                Err(Fault::Unavailable(format!("model {name} is not ready: {fault}")))
            }
            (_, Some(version)) if !versions.is_empty() => {
                Err(Fault::NotFound(format!("model {name} has no version {version}")))
            }
            _ => Err(Fault::NotFound(format!("there is no model {name}"))),
        }
    }
}
