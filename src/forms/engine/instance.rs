//! The arena of one citizen's nodes: built from the template, grown and pruned by repeats.

use super::EngineError;
use crate::forms::limits;
use crate::forms::model::{DefId, Model};
use crate::forms::xpath::tree::Tree;
use zeroize::Zeroize;

/// Nodes are never reused, so an id stays unambiguous for the life of the form.
pub(super) struct Instance {
    pub tree: Tree,
    /// For each node its definition; the document has none.
    defs: Vec<Option<DefId>>,
    /// For each definition its nodes, in document order.
    nodes: Vec<Vec<u32>>,
}

impl Instance {
    pub fn new(model: &Model) -> Result<Instance, EngineError> {
        let mut out = Instance {
            tree: Tree::new(),
            defs: vec![None],
            nodes: vec![vec![]; model.defs.len()],
        };
        let roots: Vec<u32> = model.template.get(0).children.clone();
        for root in roots {
            out.copy(model, root, 0, false)?;
        }
        out.index();
        Ok(out)
    }

    /// Copies a node of the template and what is under it, leaving inner repeat templates out. `blank`: without values.
    fn copy(&mut self, model: &Model, from: u32, parent: u32, blank: bool) -> Result<u32, EngineError> {
        if self.tree.nodes.len() >= limits::INSTANCE_NODES {
            return Err(EngineError::Budget);
        }
        let source = model.template.get(from);
        let (def, _) = model.template_info[from as usize];
        let text = if blank { String::new() } else { source.text.clone() };
        let node = self.tree.push(parent, source.name.clone(), text);
        self.tree.get_mut(node).cast = model.defs[def].bind.data_type.cast();
        self.defs.push(Some(def));
        for &child in &source.children {
            if !model.template_info[child as usize].1 {
                self.copy(model, child, node, blank)?;
            }
        }
        Ok(node)
    }

    /// Adds an instance of a repeat after the last one, or where the template has it.
    pub fn grow(&mut self, model: &Model, parent: u32, def: DefId) -> Result<u32, EngineError> {
        let prototype = model.defs[def].prototype;
        // Where the author wrote no template, the first copy is one without its values, as in JavaRosa.
        let blank = !model.template_info[prototype as usize].1;
        let node = self.copy(model, prototype, parent, blank)?;
        let children = &mut self.tree.get_mut(parent).children;
        children.pop();
        let order = |defs: &[Option<DefId>], n: u32| {
            let d = defs[n as usize];
            model.defs[def]
                .parent
                .and_then(|p| model.defs[p].children.iter().position(|c| Some(*c) == d))
        };
        let own = order(&self.defs, node);
        let at = children
            .iter()
            .rposition(|c| order(&self.defs, *c) <= own)
            .map_or(0, |i| i + 1);
        children.insert(at, node);
        self.index();
        Ok(node)
    }

    /// Cuts a node off and overwrites what it held.
    pub fn remove(&mut self, node: u32) {
        if let Some(parent) = self.tree.get(node).parent {
            self.tree.get_mut(parent).children.retain(|c| *c != node);
        }
        let mut rest = vec![node];
        while let Some(n) = rest.pop() {
            self.tree.get_mut(n).text.zeroize();
            self.defs[n as usize] = None;
            rest.extend(self.tree.get(n).children.iter().copied());
        }
        self.index();
    }

    fn index(&mut self) {
        for nodes in &mut self.nodes {
            nodes.clear();
        }
        let mut rest = vec![0_u32];
        while let Some(n) = rest.pop() {
            if let Some(def) = self.defs[n as usize] {
                self.nodes[def].push(n);
            }
            rest.extend(self.tree.get(n).children.iter().rev().copied());
        }
    }

    pub fn def_of(&self, node: u32) -> Option<DefId> {
        self.defs.get(node as usize).copied().flatten()
    }

    pub fn nodes_of(&self, def: DefId) -> &[u32] {
        &self.nodes[def]
    }

    pub fn text(&self, node: u32) -> &str {
        self.tree.nodes.get(node as usize).map_or("", |n| n.text.as_str())
    }

    /// Replaces the text; the old one is overwritten. Says whether it changed.
    pub fn write(&mut self, node: u32, text: &str) -> bool {
        let slot = &mut self.tree.get_mut(node).text;
        if slot == text {
            return false;
        }
        slot.zeroize();
        *slot = text.to_owned();
        true
    }

    /// The instances of a repeat under one parent.
    pub fn copies(&self, parent: u32, def: DefId) -> Vec<u32> {
        let children = &self.tree.get(parent).children;
        children
            .iter()
            .copied()
            .filter(|c| self.defs[*c as usize] == Some(def))
            .collect()
    }

    /// The node of a definition that belongs with another node: the same repeat instances as far as they share them.
    pub fn beside(&self, model: &Model, def: DefId, near: u32) -> Option<u32> {
        let mut above = Vec::new();
        let mut next = Some(near);
        while let Some(n) = next {
            above.push(n);
            next = self.tree.get(n).parent;
        }
        let mut at = 0_u32;
        for step in model.lineage(def) {
            let copies = self.copies(at, step);
            at = copies
                .iter()
                .copied()
                .find(|c| above.contains(c))
                .or_else(|| copies.first().copied())?;
        }
        Some(at)
    }

    pub fn at_path(&self, path: &str) -> Option<u32> {
        let mut at = 0_u32;
        for step in path.strip_prefix('/')?.split('/') {
            let (name, index) = split_index(step)?;
            let mut alike = self
                .tree
                .get(at)
                .children
                .iter()
                .copied()
                .filter(|c| *self.tree.get(*c).name == *name);
            at = alike.nth(index - 1)?;
        }
        Some(at)
    }

    /// The parent node and the definition of a repeat named by a path without its last number.
    pub fn repeat_at(&self, path: &str, model: &Model) -> Option<(u32, DefId)> {
        let (above, name) = path.rsplit_once('/')?;
        let parent = self.at_path(above)?;
        let (name, _) = split_index(name)?;
        let def = model.child_def(self.def_of(parent)?, name)?;
        model.defs[def].repeat.then_some((parent, def))
    }

    /// The path of a node, with `[n]` only where a repeat has it (`[1]` left out).
    pub fn path(&self, node: u32, model: &Model) -> String {
        let mut steps = Vec::new();
        let mut at = node;
        while let (Some(def), Some(parent)) = (self.def_of(at), self.tree.get(at).parent) {
            let field = &model.defs[def];
            let place = self
                .copies(parent, def)
                .iter()
                .position(|c| *c == at)
                .unwrap_or(0)
                + 1;
            steps.push(if place > 1 {
                format!("{}[{place}]", field.name)
            } else {
                field.name.to_string()
            });
            at = parent;
        }
        steps.reverse();
        format!("/{}", steps.join("/"))
    }
}

fn split_index(step: &str) -> Option<(&str, usize)> {
    match step.strip_suffix(']') {
        None => Some((step, 1)),
        Some(open) => {
            let (name, index) = open.split_once('[')?;
            Some((name, index.parse().ok().filter(|i| *i > 0)?))
        }
    }
}
