//! SIGTERM and Ctrl-C: noted from the first moment on, waited for later.

use tokio::runtime::{Builder, Runtime};

use crate::server::StartError;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for an end. One that comes while a server starts ends it in order once it has started.
pub struct Signals {
    runtime: Runtime,
    #[cfg(unix)]
    heard: [Signal; 2],
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// An operating system that lets nobody listen.
    #[cfg(unix)]
    pub fn listen() -> Result<Self, StartError> {
        let runtime = runtime()?;
        let heard = {
            let _inside = runtime.enter();
            [SignalKind::terminate(), SignalKind::interrupt()].map(signal)
        };
        let fault = |error: std::io::Error| StartError::of("signals", error);
        let [terminate, interrupt] = heard;
        Ok(Self { runtime, heard: [terminate.map_err(fault)?, interrupt.map_err(fault)?] })
    }

    /// Listens from now on.
    ///
    /// # Errors
    /// An operating system that lets nobody listen.
    #[cfg(not(unix))]
    pub fn listen() -> Result<Self, StartError> {
        Ok(Self { runtime: runtime()? })
    }

    /// Waits for the first of them.
    #[cfg(unix)]
    pub fn wait(self) {
        let Self { runtime, heard: [mut terminate, mut interrupt] } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
    }

    /// Waits for the first of them.
    #[cfg(not(unix))]
    pub fn wait(self) {
        let _ = self.runtime.block_on(tokio::signal::ctrl_c());
    }
}

fn runtime() -> Result<Runtime, StartError> {
    Builder::new_current_thread().enable_all().build().map_err(|error| StartError::of("signals", error))
}
