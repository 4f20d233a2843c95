//! The trees an expression walks: the citizen's answers (tree 0) and the choice lists of the form.

use std::sync::Arc;
use zeroize::Zeroize;

/// A node of one of the trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeRef {
    pub tree: u16,
    pub node: u32,
}

/// How the text of a node is read in an expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cast {
    #[default]
    Text,
    Number,
    Bool,
    Date,
    Moment,
}

/// No `Debug`: the text is what a citizen typed.
#[derive(Clone)]
pub struct Node {
    pub name: Arc<str>,
    pub parent: Option<u32>,
    pub children: Vec<u32>,
    pub text: String,
    pub cast: Cast,
    /// Whether the node and everything above it is relevant; a node that is not is absent from every expression.
    pub relevant: bool,
}

/// Node 0 is the document; its only child is the root element.
#[derive(Clone)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

impl Tree {
    pub fn new() -> Tree {
        let document = Node {
            name: Arc::from(""),
            parent: None,
            children: vec![],
            text: String::new(),
            cast: Cast::Text,
            relevant: true,
        };
        Tree {
            nodes: vec![document],
        }
    }

    pub fn push(&mut self, parent: u32, name: Arc<str>, text: String) -> u32 {
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let cast = Cast::Text;
        self.nodes.push(Node {
            name,
            parent: Some(parent),
            children: vec![],
            text,
            cast,
            relevant: true,
        });
        self.nodes[parent as usize].children.push(id);
        id
    }

    pub fn get(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    pub fn get_mut(&mut self, id: u32) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    /// Overwrites every answer.
    pub fn wipe(&mut self) {
        for node in &mut self.nodes {
            node.text.zeroize();
        }
    }
}

/// The primary instance and the secondary ones, by name.
pub struct Forest<'a> {
    pub primary: &'a Tree,
    pub lists: &'a [(String, Tree)],
}

impl<'a> Forest<'a> {
    pub fn node(&self, at: NodeRef) -> &'a Node {
        match at.tree {
            0 => self.primary.get(at.node),
            n => self.lists[n as usize - 1].1.get(at.node),
        }
    }

    /// The document node of a secondary instance.
    pub fn list(&self, id: &str) -> Option<NodeRef> {
        let at = self.lists.iter().position(|(name, _)| name == id)?;
        Some(NodeRef {
            tree: u16::try_from(at + 1).ok()?,
            node: 0,
        })
    }

    pub fn parent(&self, at: NodeRef) -> Option<NodeRef> {
        Some(NodeRef {
            tree: at.tree,
            node: self.node(at).parent?,
        })
    }
}
