//! Recalculation: a set of dirty vertices, taken in topological order until nothing changes.

use super::check::conform;
use super::{Engine, EngineError};
use crate::forms::compile::value_of;
use crate::forms::limits;
use crate::forms::model::{ActionValue, DataType, DefId, Items};
use crate::forms::xpath::Expr;
use crate::forms::xpath::dates;
use crate::forms::xpath::eval::Here;
use crate::forms::xpath::tree::{Cast, NodeRef};
use crate::forms::xpath::value::Value;
use zeroize::Zeroize;

/// Filters and counts can wake calculations again; more rounds than this never end.
const MAX_ROUNDS: usize = 32;

impl Engine {
    pub(super) fn start(&mut self) -> Result<(), EngineError> {
        self.preload();
        self.touch_all();
        // Dynamic defaults may read calculations, and calculations may read defaults.
        self.settle()?;
        self.defaults(0, true)?;
        self.touch_all();
        self.settle()
    }

    /// Adds a repeat instance with its dynamic defaults.
    pub(super) fn grow(&mut self, parent: u32, def: DefId) -> Result<u32, EngineError> {
        let first = self.tree().nodes.len() as u32;
        let form = self.form.clone();
        let node = self.instance.grow(&form.model, parent, def)?;
        self.relevance_below(node);
        self.defaults(first, false)?;
        Ok(node)
    }

    /// A new node is as relevant as its parent until its own condition is evaluated.
    fn relevance_below(&mut self, node: u32) {
        let parent = self.tree().get(node).parent;
        let relevant = parent.is_none_or(|p| self.tree().get(p).relevant);
        self.instance.tree.get_mut(node).relevant = relevant;
    }

    /// Runs the dynamic defaults of the nodes from an index on: new nodes are always the last.
    fn defaults(&mut self, first: u32, first_load: bool) -> Result<(), EngineError> {
        let form = self.form.clone();
        for action in &form.model.actions {
            let applies = if first_load {
                action.first_load
            } else {
                action.new_repeat
            };
            if !applies {
                continue;
            }
            let targets: Vec<u32> = self
                .instance
                .nodes_of(action.target)
                .iter()
                .copied()
                .filter(|n| *n >= first)
                .collect();
            for node in targets {
                self.apply(&action.value, action.target, node)?;
            }
        }
        Ok(())
    }

    /// Runs what hangs on the change of a field.
    pub(super) fn changed(&mut self, def: DefId, node: u32) -> Result<(), EngineError> {
        let form = self.form.clone();
        for action in form.model.actions.iter().filter(|a| a.on_change == Some(def)) {
            // The new value must be seen by calculations first.
            self.settle()?;
            if let Some(target) = self.instance.beside(&form.model, action.target, node) {
                self.apply(&action.value, action.target, target)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, value: &ActionValue, def: DefId, node: u32) -> Result<(), EngineError> {
        self.budget.set(limits::STEPS);
        let value = match value {
            ActionValue::Literal(text) => Value::Text(text.clone()),
            ActionValue::Expr(expr) => self.evaluate(expr, node)?,
        };
        if self.store(def, node, value) {
            self.touch_value(def);
        }
        Ok(())
    }

    pub(super) fn touch_all(&mut self) {
        self.dirty.extend(0..self.form.plan.order.len());
        self.unfiltered.extend(self.form.plan.filters.values().flatten());
    }

    pub(super) fn touch_value(&mut self, def: DefId) {
        self.wake(value_of(def));
    }

    fn wake(&mut self, vertex: usize) {
        let plan = &self.form.plan;
        self.dirty
            .extend(plan.dependents[vertex].iter().map(|v| plan.rank[*v]));
        self.unfiltered
            .extend(plan.filters.get(&vertex).into_iter().flatten());
    }

    /// Evaluates until nothing is dirty.
    pub(super) fn settle(&mut self) -> Result<(), EngineError> {
        self.budget.set(limits::STEPS);
        for _ in 0..MAX_ROUNDS {
            while let Some(rank) = self.dirty.pop_first() {
                let vertex = self.form.plan.order[rank];
                let changed = if vertex.is_multiple_of(2) {
                    self.calculate(vertex / 2)?
                } else {
                    self.judge_relevance(vertex / 2)?
                };
                if changed {
                    self.wake(vertex);
                }
            }
            self.filter_choices()?;
            self.count_repeats()?;
            if self.dirty.is_empty() && self.unfiltered.is_empty() {
                return Ok(());
            }
        }
        Err(EngineError::Unstable)
    }

    pub(super) fn evaluate(&self, expr: &Expr, node: u32) -> Result<Value, EngineError> {
        let host = self.host();
        Ok(self
            .scope(&host)
            .scalar(expr, Here::at(NodeRef { tree: 0, node }))?)
    }

    pub(super) fn holds(&self, expr: &Expr, node: u32) -> Result<bool, EngineError> {
        Ok(self.evaluate(expr, node)?.truth())
    }

    fn calculate(&mut self, def: DefId) -> Result<bool, EngineError> {
        let form = self.form.clone();
        let Some(expr) = &form.model.defs[def].bind.calculate else {
            return Ok(false);
        };
        let mut changed = false;
        for node in self.instance.nodes_of(def).to_vec() {
            let value = self.evaluate(expr, node)?;
            changed |= self.store(def, node, value);
        }
        Ok(changed)
    }

    fn store(&mut self, def: DefId, node: u32, value: Value) -> bool {
        let data_type = self.form.model.defs[def].bind.data_type;
        // A calculated truth stays one, so that `if(${calc}, ...)` does not fall for the text "0".
        let truth = matches!(value, Value::Bool(_)) && data_type.cast() == Cast::Text;
        self.instance.tree.get_mut(node).cast = if truth { Cast::Bool } else { data_type.cast() };
        let value = match (value, data_type) {
            (Value::Number(n), DataType::Integer) if n.is_finite() => Value::Number(n.trunc() + 0.0),
            (Value::Moment(moment), DataType::Date) => Value::Date(moment.date()),
            (Value::Number(n), DataType::Date) => {
                dates::date_from_days(n).map_or_else(Value::empty, Value::Date)
            }
            (other, _) => other,
        };
        let mut text = value.stored();
        let mut kept = conform(&text, data_type);
        let changed = self.instance.write(node, &kept);
        text.zeroize();
        kept.zeroize();
        changed
    }

    fn judge_relevance(&mut self, def: DefId) -> Result<bool, EngineError> {
        let form = self.form.clone();
        let expr = form.model.defs[def].bind.relevant.as_ref();
        let mut changed = false;
        for node in self.instance.nodes_of(def).to_vec() {
            let above = self
                .tree()
                .get(node)
                .parent
                .is_none_or(|p| self.tree().get(p).relevant);
            let relevant = above
                && match expr {
                    Some(expr) => self.holds(expr, node)?,
                    None => true,
                };
            let slot = &mut self.instance.tree.get_mut(node).relevant;
            changed |= *slot != relevant;
            *slot = relevant;
        }
        Ok(changed)
    }

    /// Clears choices that their list no longer offers.
    fn filter_choices(&mut self) -> Result<(), EngineError> {
        let form = self.form.clone();
        while let Some(index) = self.unfiltered.pop_first() {
            let control = &form.model.controls[index];
            if !matches!(control.items, Items::List { .. }) {
                continue;
            }
            for node in self.instance.nodes_of(control.def).to_vec() {
                if self.instance.text(node).is_empty() || !self.tree().get(node).relevant {
                    continue;
                }
                let offered = self.choice_values(control, node)?;
                let kept: Vec<&str> = match control.kind {
                    crate::forms::model::ControlKind::SelectOne => Some(self.instance.text(node))
                        .filter(|v| offered.iter().any(|o| o == v))
                        .into_iter()
                        .collect(),
                    _ => self
                        .instance
                        .text(node)
                        .split_whitespace()
                        .filter(|v| offered.iter().any(|o| o == v))
                        .collect(),
                };
                let kept = kept.join(" ");
                if self.instance.write(node, &kept) {
                    self.touch_value(control.def);
                }
            }
        }
        Ok(())
    }

    /// Gives each counted repeat the number of instances its form asks for.
    fn count_repeats(&mut self) -> Result<(), EngineError> {
        let form = self.form.clone();
        for (def, expr) in &form.plan.counts {
            let Some(parent_def) = form.model.defs[*def].parent else {
                continue;
            };
            for parent in self.instance.nodes_of(parent_def).to_vec() {
                if !self.tree().get(parent).relevant {
                    continue;
                }
                let wanted = self.evaluate(expr, parent)?.number();
                // An unanswered count leaves the repeat as it is, as in JavaRosa.
                if wanted.is_nan() {
                    continue;
                }
                let wanted = if wanted >= 1.0 {
                    wanted.min(limits::REPEATS as f64) as usize
                } else {
                    0
                };
                let copies = self.instance.copies(parent, *def);
                for extra in copies.iter().skip(wanted) {
                    self.instance.remove(*extra);
                }
                for _ in copies.len()..wanted {
                    self.grow(parent, *def)?;
                }
                if copies.len() != wanted {
                    self.touch_all();
                }
            }
        }
        Ok(())
    }

    fn preload(&mut self) {
        let form = self.form.clone();
        let now = &self.env.now;
        for (def, field) in form.model.defs.iter().enumerate() {
            let Some((kind, parameter)) = &field.bind.preload else {
                continue;
            };
            let value = match (kind.as_str(), parameter.as_str()) {
                ("uid", _) => {
                    let id = &self.env.instance_id;
                    if id.starts_with("uuid:") {
                        id.clone()
                    } else {
                        format!("uuid:{id}")
                    }
                }
                ("date", _) => now.date().to_string(),
                ("timestamp", "start") => dates::moment_text(now),
                ("property", "deviceid") => self.env.device_id.clone(),
                _ => continue,
            };
            for node in self.instance.nodes_of(def).to_vec() {
                self.instance.write(node, &value);
            }
        }
        // Forms written by hand may leave the preload of the id out.
        let meta = form.model.defs.iter().position(|d| &*d.name == "instanceID");
        if let Some(def) = meta.filter(|d| {
            form.model.defs[*d].bind.preload.is_none() && form.model.defs[*d].bind.calculate.is_none()
        }) {
            let id = self.env.instance_id.trim_start_matches("uuid:");
            let id = format!("uuid:{id}");
            for node in self.instance.nodes_of(def).to_vec() {
                self.instance.write(node, &id);
            }
        }
    }
}
