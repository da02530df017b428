//! Which file of `src/` imports which, read from the sources. What a `mod.rs` only hands on is imported from where it is defined.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, File, ItemMod, ItemUse, UseTree, Visibility};

/// The modules that import, and what they import.
pub struct Imports(BTreeMap<String, BTreeSet<String>>);

/// A file as it was read.
struct Source {
    module: Vec<String>,
    /// Paths from the root of the crate.
    paths: BTreeSet<Vec<String>>,
    /// What it hands on: a name, and where that comes from.
    exports: BTreeMap<String, Vec<String>>,
}

impl Imports {
    /// Those of `src/`, without its tests.
    pub fn of_the_sources() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        find(&root, &mut files);
        let sources: Vec<Source> = files.iter().filter_map(|file| read(&root, file)).collect();
        let by_module: BTreeMap<String, &Source> =
            sources.iter().map(|source| (source.module.join("::"), source)).collect();
        let arrows = by_module.iter().map(|(module, source)| {
            let targets = source.paths.iter().filter_map(|path| defined_in(&by_module, path, 0));
            (module.clone(), targets.filter(|target| target != module).collect())
        });
        Self(arrows.collect())
    }

    /// Each import, from and to.
    pub fn arrows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(from, all)| all.iter().map(|to| (from.as_str(), to.as_str())))
    }

    /// Files that import each other, a circle a list.
    pub fn circles(&self) -> Vec<Vec<String>> {
        // Few enough for the plain way: who reaches whom.
        let reach = |from: &String| {
            let (mut seen, mut todo) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(next) = todo.pop() {
                for to in self.0.get(&next).into_iter().flatten() {
                    if seen.insert(to.clone()) {
                        todo.push(to.clone());
                    }
                }
            }
            seen
        };
        let reached: BTreeMap<_, _> = self.0.keys().map(|from| (from.clone(), reach(from))).collect();
        let mut circles = BTreeSet::new();
        for (from, seen) in &reached {
            if seen.contains(from) {
                let back = |to: &&String| reached.get(*to).is_some_and(|seen| seen.contains(from));
                circles.insert(seen.iter().filter(back).cloned().collect::<Vec<_>>());
            }
        }
        circles.into_iter().collect()
    }
}

fn find(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            find(&path, files);
        } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

fn read(root: &Path, file: &Path) -> Option<Source> {
    let relative = file.strip_prefix(root).unwrap().with_extension("");
    let mut module: Vec<String> =
        relative.components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    // The two roots declare the rooms and are none.
    if matches!(module.as_slice(), [one] if one == "lib" || one == "main") {
        return None;
    }
    let parsed: File = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
    let mut source = Source { module, paths: BTreeSet::new(), exports: BTreeMap::new() };
    source.visit_file(&parsed);
    Some(source)
}

/// The module in which a path's name is defined; nothing where the path is of another crate.
fn defined_in(modules: &BTreeMap<String, &Source>, path: &[String], depth: usize) -> Option<String> {
    let known = (1..=path.len()).rev().find(|length| modules.contains_key(&path[..*length].join("::")))?;
    let module = path[..known].join("::");
    let handed_on = path.get(known).and_then(|name| modules[&module].exports.get(name));
    match handed_on {
        Some(from) if depth < 8 => defined_in(modules, from, depth + 1).or(Some(module)),
        _ => Some(module),
    }
}

impl Source {
    /// A path from the root of the crate, where it is one of this crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => return Some(rest.to_vec()),
            "self" | "super" => self.module.clone(),
            _ => return None,
        };
        let mut rest = path;
        while let Some((first, behind)) = rest.split_first()
            && matches!(first.as_str(), "self" | "super")
        {
            if first == "super" {
                base.pop()?;
            }
            rest = behind;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn take(&mut self, tree: &UseTree, above: &mut Vec<String>, is_public: bool) {
        match tree {
            UseTree::Path(path) => {
                above.push(path.ident.to_string());
                self.take(&path.tree, above, is_public);
                above.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take(tree, above, is_public)),
            UseTree::Name(name) => self.note(above, &name.ident.to_string(), &name.ident.to_string(), is_public),
            UseTree::Rename(name) => self.note(above, &name.ident.to_string(), &name.rename.to_string(), is_public),
            UseTree::Glob(_) => self.note(above, "self", "self", is_public),
        }
    }

    fn note(&mut self, above: &[String], name: &str, shown: &str, is_public: bool) {
        let mut path = above.to_vec();
        if name != "self" {
            path.push(name.to_owned());
        }
        // `pub use registry::JobRegistry` names a module of its own.
        let own = is_public && !matches!(path.first().map(String::as_str), Some("crate" | "self" | "super"));
        let path = if own { [vec!["self".to_owned()], path].concat() } else { path };
        let Some(path) = self.absolute(&path) else { return };
        if is_public {
            self.exports.insert(shown.to_owned(), path);
        } else {
            self.paths.insert(path);
        }
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|cfg| cfg == "test")
    })
}

impl<'a> Visit<'a> for Source {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if !is_of_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if !is_of_tests(&item.attrs) {
            self.take(&item.tree, &mut Vec::new(), !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1
            && let Some(path) = self.absolute(&segments)
        {
            self.paths.insert(path);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'a Visibility) {}
}
