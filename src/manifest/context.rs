//! What every part of the reading needs: the files, the environment, and where problems go.

use std::cell::{Cell, RefCell};
use std::path::Path;

use super::problem::Finding;
use super::source::SourceFile;
use crate::graph;

/// The environment: the value of a variable, where it is set.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether a server could speak TLS with a certificate and its key: where not, why.
pub type Certificates<'a> = &'a dyn Fn(&Path, &Path) -> Result<(), String>;

/// How much work the search for near names may be, in compared characters squared: enough for a
/// thousand slips, and little enough for a file full of nonsense.
const NEAREST_BUDGET: usize = 4_000_000;

/// The one reading of one manifest.
pub(super) struct Context<'a> {
    pub(super) files: &'a [SourceFile],
    pub(super) environment: Environment<'a>,
    /// Where the files that it names are looked at, too.
    pub(super) certificates: Option<Certificates<'a>>,
    findings: RefCell<Vec<Finding>>,
    nearest_budget: Cell<usize>,
}

impl<'a> Context<'a> {
    pub(super) fn new(files: &'a [SourceFile], environment: Environment<'a>) -> Self {
        let findings = RefCell::new(Vec::new());
        Self { files, environment, certificates: None, findings, nearest_budget: Cell::new(NEAREST_BUDGET) }
    }

    /// The same, and the files that the manifest names are looked at.
    pub(super) fn looking_at_files(self, certificates: Option<Certificates<'a>>) -> Self {
        Self { certificates, ..self }
    }

    /// Whether the files that the manifest names are looked at.
    pub(super) fn looks_at_files(&self) -> bool {
        self.certificates.is_some()
    }

    /// Puts a finding on the list.
    pub(super) fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// The findings since the last call.
    pub(super) fn take_findings(&self) -> Vec<Finding> {
        self.findings.take()
    }

    /// The name nearest to a wrong one, where one is near enough to be meant.
    pub(super) fn nearest<'n>(&self, wrong: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
        let near = names.filter(|name| name.len().abs_diff(wrong.len()) <= 3);
        let work = near.clone().map(|name| name.len() * wrong.len()).sum::<usize>();
        let left = self.nearest_budget.get().checked_sub(work)?;
        self.nearest_budget.set(left);
        graph::nearest(wrong, near)
    }
}
