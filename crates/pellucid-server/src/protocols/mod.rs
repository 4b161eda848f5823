//! What clients send and expect, protocol by protocol: bytes ⇄ rows and tensors, and nothing else.

pub(crate) mod binary;
pub(crate) mod cloud_events;
pub(crate) mod strict;
pub(crate) mod tensors;
pub(crate) mod v1;
pub(crate) mod v2;
