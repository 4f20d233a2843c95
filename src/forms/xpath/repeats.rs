//! Functions about the place of nodes: positions, repeats, shuffled lists, rows of tables.

use super::ast::{Axis, Expr, Path, Start, Step};
use super::eval::{EvalError, Here, Scope};
use super::tree::NodeRef;
use super::value::Value;

/// The 1-based place of a node among its siblings of the same name.
pub(super) fn position(s: &Scope<'_>, node: NodeRef) -> f64 {
    let name = &s.forest.node(node).name;
    let Some(parent) = s.forest.parent(node) else {
        return 1.0;
    };
    let before = s
        .forest
        .node(parent)
        .children
        .iter()
        .take_while(|c| **c != node.node);
    let alike = before
        .filter(|c| {
            s.forest
                .node(NodeRef {
                    tree: node.tree,
                    node: **c,
                })
                .name
                == *name
        })
        .count();
    alike as f64 + 1.0
}

/// `indexed-repeat(field, repeat, n, inner_repeat, m, ...)`
pub(super) fn indexed_repeat(s: &Scope<'_>, args: &[Expr], here: Here) -> Result<Value, EvalError> {
    // pyxform writes the field relative to the calculation; what is meant is the field in any instance.
    let unguided = |expr: &Expr| match expr {
        Expr::Path(path) if path.start == Start::Root => s.nodes(path, here, false),
        Expr::Path(path) => match s.nodes(path, here, false)?.first() {
            Some(node) => s.nodes(&absolute(s, *node), here, false),
            None => Ok(vec![]),
        },
        other => super::calls::nodes(s, other, here),
    };
    let mut inside: Option<NodeRef> = None;
    for pair in args[1..].chunks_exact(2) {
        // JavaRosa takes a number below one for the first.
        let index = s.number(&pair[1], here)?.max(1.0);
        let mut set = unguided(&pair[0])?;
        set.retain(|n| inside.is_none_or(|outer| within(s, *n, outer)));
        match set.get(index as usize - 1) {
            Some(node) => inside = Some(*node),
            None => return Ok(Value::empty()),
        }
    }
    let mut set = unguided(&args[0])?;
    set.retain(|n| inside.is_none_or(|outer| within(s, *n, outer)));
    Ok(set.first().map_or_else(Value::empty, |n| s.read(*n)))
}

/// The path of a node without positions.
fn absolute(s: &Scope<'_>, node: NodeRef) -> Path {
    let mut steps = Vec::new();
    let mut at = Some(node);
    while let Some(n) = at.filter(|n| n.node != 0) {
        steps.push(Step {
            axis: Axis::Child,
            name: Some(s.forest.node(n).name.to_string()),
            predicates: vec![],
        });
        at = s.forest.parent(n);
    }
    steps.reverse();
    Path {
        start: Start::Root,
        steps,
    }
}

fn within(s: &Scope<'_>, node: NodeRef, outer: NodeRef) -> bool {
    let mut next = Some(node);
    while let Some(n) = next {
        if n == outer {
            return true;
        }
        next = s.forest.parent(n);
    }
    false
}

/// The shuffle of the ODK XForms specification (Park–Miller), so that a seed gives Collect's order.
pub(super) fn shuffle(mut nodes: Vec<NodeRef>, seed: i64) -> Vec<NodeRef> {
    const MODULUS: i64 = 2_147_483_647;
    let mut state = seed.rem_euclid(MODULUS);
    if state == 0 {
        state = MODULUS - 1;
    }
    for i in (1..nodes.len()).rev() {
        state = state * 16_807 % MODULUS;
        let part = (state - 1) as f64 / (MODULUS - 1) as f64;
        nodes.swap(i, ((part * (i + 1) as f64) as usize).min(i));
    }
    nodes
}

/// `pulldata('list', 'column', 'key column', key)`
pub(super) fn pull_data(
    s: &Scope<'_>,
    list: &str,
    column: &str,
    key_column: &str,
    key: &str,
) -> Result<Value, EvalError> {
    let Some(document) = s.forest.list(list) else {
        return Ok(Value::empty());
    };
    let child = |n: u32| NodeRef {
        tree: document.tree,
        node: n,
    };
    let named = |parent: NodeRef, name: &str| {
        s.forest
            .node(parent)
            .children
            .iter()
            .map(|c| child(*c))
            .find(|c| &*s.forest.node(*c).name == name)
    };
    let Some(root) = s.forest.node(document).children.first().map(|c| child(*c)) else {
        return Ok(Value::empty());
    };
    let items = &s.forest.node(root).children;
    s.spend(items.len() as u64)?;
    for item in items.iter().map(|c| child(*c)) {
        if named(item, key_column).is_some_and(|k| s.forest.node(k).text == key) {
            return Ok(named(item, column).map_or_else(Value::empty, |n| s.read(n)));
        }
    }
    Ok(Value::empty())
}
