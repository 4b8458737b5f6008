//! Where a manifest comes from: a file, a folder, standard input, a text that is built in.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::problem::Problem;

/// The largest manifest file.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// The working directory.
const HERE: &str = "";

/// Where a manifest comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or a folder whose `*.toml` are merged.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// The name by which problems call it, and a text that is built in.
    Text(String, String),
}

impl Source {
    /// What the command line means: `-` is standard input, all else a path.
    pub fn from_argument(argument: impl Into<PathBuf>) -> Self {
        let path = argument.into();
        if path.as_os_str() == "-" { Self::Stdin } else { Self::Path(path) }
    }

    /// Reads the files, each with the name by which problems call it.
    pub(super) fn read(&self) -> Result<Vec<SourceFile>, Vec<Problem>> {
        match self {
            Self::Text(name, text) => Ok(vec![SourceFile::new(name.clone(), text.clone(), HERE.as_ref())]),
            Self::Stdin => read_text("<stdin>", HERE.as_ref(), io::stdin().lock())
                .map(|file| vec![file])
                .map_err(|problem| vec![problem]),
            Self::Path(path) if path.is_dir() => read_folder(path),
            Self::Path(path) => read_file(path).map(|file| vec![file]).map_err(|problem| vec![problem]),
        }
    }
}

/// A file of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceFile {
    /// As it was named.
    pub(super) name: String,
    /// All of it.
    pub(super) text: String,
    /// What paths in it are relative to: its folder; the working directory where it comes from standard input.
    pub(super) folder: PathBuf,
    /// Where its lines begin.
    line_starts: Vec<usize>,
}

impl SourceFile {
    fn new(name: String, text: String, folder: &Path) -> Self {
        let line_starts =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        Self { name, text, folder: folder.to_owned(), line_starts }
    }

    /// The line, from 0, that a byte stands on.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= at).saturating_sub(1)
    }

    /// A line, from 0, without its end, and where it begins.
    pub(super) fn line(&self, line: usize) -> (&str, usize) {
        let start = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(line + 1).copied().unwrap_or(self.text.len());
        (self.text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r']), start)
    }
}

fn read_folder(folder: &Path) -> Result<Vec<SourceFile>, Vec<Problem>> {
    let name = folder.display().to_string();
    let failed = |error: &io::Error| vec![Problem::of_file(&name, &format!("failed to list the folder: {error}"), "")];
    let paths = toml_files(folder).map_err(|error| failed(&error))?;
    if paths.is_empty() {
        let help = "put a manifest in it, say `shop.toml`, or name another folder or file";
        return Err(vec![Problem::of_file(&name, "no `*.toml` file is in the folder", help)]);
    }
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in &paths {
        match read_file(path) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

/// The files of a manifest that is a folder, in their order.
pub(super) fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|extension| extension == "toml") && !hidden && !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path) -> Result<SourceFile, Problem> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => read_text(&name, path.parent().unwrap_or(HERE.as_ref()), file),
        Err(error) => {
            let help = match error.kind() {
                io::ErrorKind::NotFound => "name a manifest file, a folder of them, or `-` for standard input",
                io::ErrorKind::PermissionDenied => "let the user that runs this read it",
                _ => "",
            };
            Err(Problem::of_file(&name, &format!("failed to open the manifest: {error}"), help))
        }
    }
}

fn read_text(name: &str, folder: &Path, reader: impl Read) -> Result<SourceFile, Problem> {
    let mut bytes = Vec::new();
    if let Err(error) = reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes) {
        return Err(Problem::of_file(name, &format!("failed to read the manifest: {error}"), ""));
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let help = "split it into several files in a folder, if it really is a manifest";
        return Err(Problem::of_file(name, "the manifest is larger than 16 MiB", help));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(name.to_owned(), text, folder)),
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + memchr::memchr_iter(b'\n', valid).count();
            let message = format!("line {line} of the manifest is not UTF-8");
            Err(Problem::of_file(name, &message, "save the file as UTF-8").at_line(line))
        }
    }
}
