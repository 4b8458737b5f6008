//! Reading a manifest from the first byte to the last check.

use super::context::{Certificates, Context, Environment};
use super::inputs;
use super::keys;
use super::problem::{Finding, Problem, Severity};
use super::section::{Part, Section};
use super::settings::{Manifest, add_clock_skews, core_inputs, set_delays};
use super::source::{Source, SourceFile};
use super::stream::Streams;
use super::syntax::{self, Parsed};
use super::top;
use crate::graph::InputKind;

/// The most problems that are shown at once.
const PROBLEMS_MAX: usize = 500;

/// Reads and checks a manifest; every problem at once.
pub fn load(source: &Source) -> Result<Manifest, Vec<Problem>> {
    load_in(source, &|name| std::env::var(name).ok())
}

/// Like [`load`], with an environment of its own.
pub fn load_in(source: &Source, environment: Environment<'_>) -> Result<Manifest, Vec<Problem>> {
    check(&source.read()?, environment, None)
}

/// What was read, and is not checked yet; or why it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Result<Vec<SourceFile>, Vec<Problem>>);

impl Text {
    /// Reads all files.
    pub fn read(source: &Source) -> Self {
        Self(source.read())
    }

    /// Checks it; every problem at once.
    pub fn check(&self) -> Result<Manifest, Vec<Problem>> {
        self.check_by(None)
    }

    /// The same, and the files that it names are looked at: what a server needs, and cannot use, is a problem.
    pub fn check_with_files(&self, certificates: Certificates<'_>) -> Result<Manifest, Vec<Problem>> {
        self.check_by(Some(certificates))
    }

    fn check_by(&self, certificates: Option<Certificates<'_>>) -> Result<Manifest, Vec<Problem>> {
        let files = self.0.as_ref().map_err(Clone::clone)?;
        check(files, &|name| std::env::var(name).ok(), certificates)
    }
}

fn check(
    files: &[SourceFile],
    environment: Environment<'_>,
    certificates: Option<Certificates<'_>>,
) -> Result<Manifest, Vec<Problem>> {
    let context = Context::new(files, environment).looking_at_files(certificates);
    let parsed: Vec<_> = files.iter().enumerate().map(|(index, file)| syntax::parse(&context, index, file)).collect();
    let mut findings = context.take_findings();
    let Some(parsed) = parsed.into_iter().collect::<Option<Vec<_>>>() else {
        return Err(errors(findings, files));
    };
    let manifest = walk(&context, &parsed);
    // What is found on a line that is no TOML follows from that.
    let follows = |finding: &Finding| {
        let (file, at) = (finding.place.file, finding.place.span.start);
        parsed[file].broken_lines.contains(&files[file].line_of(at))
    };
    findings.extend(context.take_findings().into_iter().filter(|finding| !follows(finding)));
    findings.sort_by_key(|finding| (finding.place.file, finding.place.span.start));
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(errors(findings, files));
    }
    Ok(Manifest { warnings: findings.iter().map(|finding| finding.render(files)).collect(), ..manifest })
}

fn walk<'d>(context: &'d Context<'d>, parsed: &'d [Parsed<'d>]) -> Manifest {
    let part = |(file, parsed): (usize, &'d Parsed<'d>)| Part { file, header: 0..0, table: &parsed.table };
    let manifest = Section::open(context, &keys::TOP, parsed.iter().enumerate().map(part).collect());
    let defaults = top::defaults(&manifest);
    let mut streams = Streams::new(&defaults);
    for section in manifest.sections("stream", &keys::STREAM) {
        streams.read(&section);
    }
    if streams.is_empty() && !manifest.says("stream") {
        let finding = Finding::error(&manifest.place(), "the manifest declares no stream");
        context.report(finding.help("write `[[stream]]` with a `name`, and a `[[stream.edge]]` with `from` and `to`"));
    }
    let mut system = top::system(&manifest);
    (system.nodes, system.streams) = streams.into_parts();
    let mut settings = top::settings(&manifest, &system.nodes);
    settings.inputs = inputs::read(&manifest, &system.nodes, system.accept_unknown);
    settings.http_enabled = settings.inputs.iter().any(|input| input.kind == InputKind::Http);
    system.inputs = core_inputs(&system, &settings.inputs);
    set_delays(&mut system, &settings.inputs);
    add_clock_skews(&mut system, &settings.inputs);
    Manifest { system, settings, warnings: Vec::new() }
}

/// The errors alone, rendered.
fn errors(mut findings: Vec<Finding>, files: &[SourceFile]) -> Vec<Problem> {
    findings.retain(|finding| finding.severity == Severity::Error);
    let left_out = findings.len().saturating_sub(PROBLEMS_MAX);
    findings.truncate(PROBLEMS_MAX);
    let mut problems: Vec<_> = findings.iter().map(|finding| finding.render(files)).collect();
    if left_out > 0 {
        let file = problems.last().map_or_else(String::new, |problem| problem.file.clone());
        problems.push(Problem::of_file(&file, &format!("{left_out} more problems are not shown"), ""));
    }
    problems
}
