//! The house's own rules, held against its files.

use std::fs;
use std::path::{Path, PathBuf};

/// Which layer a top-level module belongs to; a layer may import itself and what stands before it.
const LAYERS: [(&str, &[&str]); 4] = [
    ("domain", &["domain", "forms", "i18n", "clock"]),
    (
        "store, devices, sync, config",
        &["store", "devices", "sync", "config"],
    ),
    ("app", &["app"]),
    ("faces", &["kiosk", "board", "console", "central", "cli"]),
];

/// These never know each other, though they share a layer.
const APART: [&str; 3] = ["store", "devices", "sync"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|it| it == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

/// The top-level module of a file under `src`.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("a source file");
    let first = inside
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules a source text names by `crate::`.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let names: Vec<String> = match part.strip_prefix('{') {
                Some(group) => group
                    .split('}')
                    .next()
                    .unwrap_or_default()
                    .split(',')
                    .map(|name| name.trim().split("::").next().unwrap_or_default().to_owned())
                    .collect(),
                None => vec![
                    part.chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .collect(),
                ],
            };
            found.extend(
                names
                    .into_iter()
                    .filter(|name| !name.is_empty())
                    .map(|name| (at + 1, name)),
            );
        }
    }
    found
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let from = module(&path);
        let Some(own) = layer(&from) else { continue };
        let text = fs::read_to_string(&path).expect("a source file");
        for (line, to) in imports(&text) {
            let Some(other) = layer(&to) else { continue };
            let upward = other > own;
            let sideways = from != to && APART.contains(&from.as_str()) && APART.contains(&to.as_str());
            if upward || sideways {
                wrong.push(format!("{}:{line}: {from} imports {to}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_test_sees_what_it_forbids() {
    assert_eq!(imports("use crate::app::Stop;"), [(1, "app".to_owned())]);
    assert_eq!(
        imports("use crate::{board, domain::id};\n// crate::kiosk"),
        [(1, "board".to_owned()), (1, "domain".to_owned())]
    );
    assert!(layer("app") > layer("store") && layer("store") > layer("domain"));
}

#[test]
fn only_the_store_writes_sql_and_only_devices_write_escpos() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let from = module(&path);
        let text = fs::read_to_string(&path).expect("a source file");
        let code: String = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect();
        if [
            "kiosk", "board", "console", "central", "cli", "domain", "forms", "sync",
        ]
        .contains(&from.as_str())
        {
            for word in ["rusqlite", "escpos::"] {
                if code.contains(word) {
                    wrong.push(format!("{}: {word}", path.display()));
                }
            }
        }
        if ["domain", "forms", "store", "devices"].contains(&from.as_str()) && code.contains("reqwest") {
            wrong.push(format!("{}: reqwest", path.display()));
        }
        if ["domain", "forms"].contains(&from.as_str()) && code.contains("tokio") {
            wrong.push(format!("{}: tokio", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_opens_with_what_it_is_for() {
    let silent: Vec<String> = files(&root().join("src"), "rs")
        .into_iter()
        // Tests that stand beside their module are opened by it.
        .filter(|path| !path.to_string_lossy().ends_with("tests.rs"))
        .filter(|path| {
            !fs::read_to_string(path)
                .expect("a source file")
                .trim_start()
                .starts_with("//!")
        })
        .map(|path| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn no_file_wants_to_be_two() {
    let long: Vec<String> = files(&root().join("src"), "rs")
        .into_iter()
        .map(|path| {
            (
                fs::read_to_string(&path).expect("a source file").lines().count(),
                path,
            )
        })
        .filter(|(lines, _)| *lines > 800)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
