//! `observatory serve`: runs the server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Listening, Logging, output};
use crate::app::{self, Failure, Flags, Reached};
use crate::logging;
use crate::manifest::{Manifest, Origin, Text};

/// Run the server
///
/// The manifest is read again when it changes, and on SIGHUP.
///
/// Ends with 0 after SIGTERM or SIGINT, with 2 where the manifest or a flag is wrong, with 1 on any
/// other failure.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  observatory serve shop.toml
  observatory serve /etc/observatory.d --listen 127.0.0.1:9000 --data-dir /var/lib/observatory
  generate-manifest | observatory serve -")]
pub(super) struct Serve {
    /// The manifest: a file, a folder whose *.toml are merged, or - for standard input
    manifest: PathBuf,
    #[command(flatten)]
    listening: Listening,
    /// Keep all that happens in this folder: nothing that was accepted is lost [default: the manifest's, else nothing is kept]
    #[arg(long, value_name = "DIR", env = "OBSERVATORY_DATA_DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    logging: Logging,
}

impl Serve {
    pub(super) fn run(self) -> ExitCode {
        let source = super::source(&self.manifest);
        let text = Text::read(&source);
        let manifest = match super::good(text.check()) {
            Ok(manifest) => manifest,
            Err(exit) => return exit,
        };
        let flags = Flags { listen: self.listening.listen, data_dir: self.data_dir };
        run(&manifest, Some(Origin { source, text }), flags, &self.logging, |_| Ok(()))
    }
}

/// Runs a server; `then` is told its address when it is up. `origin`: where the manifest is read again.
pub(super) fn run(
    manifest: &Manifest,
    origin: Option<Origin>,
    flags: Flags,
    logging: &Logging,
    then: impl FnOnce(Reached) -> Result<(), Failure>,
) -> ExitCode {
    if let Err(error) = logging::start(logging.log_level, output::stderr_colour()) {
        return output::fail(&error);
    }
    let announce = |reached: Reached| {
        let page = format!("observatory: {reached}\n");
        output::answer(&page).map_err(|_exit| Failure::Failed("failed to print the address".to_owned()))?;
        then(reached)
    };
    match app::serve(manifest, origin, flags, announce) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure @ Failure::Wrong(_)) => output::wrong(&failure),
        Err(failure @ Failure::Failed(_)) => output::fail(&failure),
    }
}
