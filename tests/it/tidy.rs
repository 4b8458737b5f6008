//! The source keeps the order that ARCHITECTURE.md promises.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 500;
const MAIN_LINES_MAX: usize = 60;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under a folder, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let pattern = folder.join("**/*.rs");
    let paths = glob::glob(pattern.to_str().unwrap()).unwrap();
    paths.map(|path| path.unwrap()).map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The module of `src` that a file belongs to.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The table of ARCHITECTURE.md: the modules that each module may use.
fn declared() -> BTreeMap<String, BTreeSet<String>> {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = page.split("| module | uses |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        (names(cells[1]).pop_first().unwrap(), names(cells[2]))
    })
    .collect()
}

/// The modules that a text names after `crate::`, `use crate::{a, b}` included.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(list) = rest.strip_prefix('{') {
            // Each part at the list's own depth begins with a module.
            let mut depth = 0;
            let mut part = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(name(part.trim()));
                        part.clear();
                    }
                    _ => part.push(c),
                }
            }
            found.insert(name(part.trim()));
        } else {
            found.insert(name(rest));
        }
    }
    found.remove("");
    found
}

#[test]
fn modules_use_whom_they_may_use() {
    let declared = declared();
    let mut wrong = Vec::new();
    let mut really = BTreeMap::<_, BTreeSet<String>>::new();
    for (path, text) in sources(&root().join("src")) {
        let module = module(&path);
        if module == "main" || module == "lib" {
            continue;
        }
        let uses = really.entry(module.clone()).or_default();
        for name in used(&text).into_iter().filter(|name| *name != module) {
            if !declared.get(&module).is_some_and(|may| may.contains(&name)) {
                wrong.push(format!("{}: `{module}` uses `{name}`, which its row does not name", path.display()));
            }
            uses.insert(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // And the table says nothing that is not so.
    assert_eq!(declared, really);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for (path, text) in sources(&root().join("src")) {
        let limit = if path.ends_with("src/main.rs") { MAIN_LINES_MAX } else { LINES_MAX };
        let lines = text.lines().count();
        if lines > limit {
            wrong.push(format!("{}: {lines} lines, more than {limit}", path.display()));
        }
        if !path.ends_with("tests.rs") && !text.starts_with("//! ") {
            wrong.push(format!("{}: begins without `//!`", path.display()));
        }
    }
    for (path, text) in sources(&root().join("tests")) {
        if text.lines().count() > LINES_MAX {
            wrong.push(format!("{}: more than {LINES_MAX} lines", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn lists_of_imports_are_understood() {
    let text = "use crate::{board::{Board, Tone}, clock};\n// crate::comment\nlet x = crate::graph::nearest();";
    assert_eq!(used(text), ["board", "clock", "graph"].map(str::to_owned).into());
}

/// The names of the tests, and of the files and folders that hold them.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (path, text) in [sources(&root().join("tests/it")), sources(&root().join("src"))].concat() {
        let parts = path.strip_prefix(root()).unwrap().with_extension("");
        names.extend(parts.iter().map(|part| part.to_str().unwrap().to_owned()));
        for rest in text.split("#[test]").skip(1) {
            let name = rest.split_once("fn ").map_or("", |(_, rest)| rest);
            names.insert(name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

#[test]
fn what_is_promised_names_tests_that_there_are() {
    let page = std::fs::read_to_string(root().join("docs/RELIABILITY.md")).unwrap();
    let tests = tests();
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit()))
    {
        let cells: Vec<_> = row.trim_end_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "number, fault, promise and tests: {row}");
        let named: Vec<_> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test in {row}");
        for name in named.iter().flat_map(|name| name.split("::")) {
            assert!(tests.contains(name), "there is no test {name}, as said in {row}");
        }
        rows += 1;
    }
    assert_eq!(rows, 24, "every fault has its row");
}
