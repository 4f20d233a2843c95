//! What each function does.

use super::ast::Expr;
use super::codes::{decode, digest, draw, uuid};
use super::dates;
use super::eval::{EvalError, Here, Scope};
use super::functions::Function;
use super::repeats::{indexed_repeat, position, pull_data, shuffle};
use super::tree::NodeRef;
use super::value::{Value, round_at};
use crate::forms::ecuador;
use jiff::ZonedDateTime;

pub(super) fn call(s: &Scope<'_>, function: Function, args: &[Expr], here: Here) -> Result<Value, EvalError> {
    use Function as F;
    let text = |i: usize| s.text(&args[i], here);
    let number = |i: usize| s.number(&args[i], here);
    // An argument that may be left out stands for the context node.
    let own_text = || {
        if args.is_empty() {
            Ok(s.read(here.node).text())
        } else {
            text(0)
        }
    };
    let say = |t: String| Ok(Value::Text(t));
    let yes = |b: bool| Ok(Value::Bool(b));
    let num = |n: f64| Ok(Value::Number(n));
    match function {
        F::String => say(own_text()?),
        F::Concat => say(flat_texts(s, args, here)?.concat()),
        F::Join => say(flat_texts(s, &args[1..], here)?.join(&text(0)?)),
        F::Substr => {
            let end = if args.len() > 2 { Some(number(2)?) } else { None };
            say(substr(&text(0)?, number(1)?, end))
        }
        F::SubstringBefore => say(text(0)?
            .split_once(&text(1)?)
            .map(|(a, _)| a.to_owned())
            .unwrap_or_default()),
        F::SubstringAfter => say(text(0)?
            .split_once(&text(1)?)
            .map(|(_, b)| b.to_owned())
            .unwrap_or_default()),
        F::StringLength => num(own_text()?.chars().count() as f64),
        F::NormalizeSpace => say(own_text()?.split_whitespace().collect::<Vec<_>>().join(" ")),
        F::Translate => say(translate(&text(0)?, &text(1)?, &text(2)?)),
        F::Contains => yes(text(0)?.contains(&text(1)?)),
        F::StartsWith => yes(text(0)?.starts_with(&text(1)?)),
        F::EndsWith => yes(text(0)?.ends_with(&text(1)?)),
        F::Regex => yes(matches_pattern(s, &text(0)?, text(1)?)),
        F::UpperCase => say(text(0)?.to_uppercase()),
        F::LowerCase => say(text(0)?.to_lowercase()),

        F::True => yes(true),
        F::False => yes(false),
        F::Not => yes(!s.truth(&args[0], here)?),
        F::Boolean => yes(s.truth(&args[0], here)?),
        F::BooleanFromString => {
            let t = text(0)?;
            yes(t == "1" || t.eq_ignore_ascii_case("true"))
        }
        F::If => s.eval(&args[if s.truth(&args[0], here)? { 1 } else { 2 }], here),
        F::Coalesce => coalesce(s, args, here),
        F::Once => match s.read(here.node) {
            Value::Text(t) if t.is_empty() => s.eval(&args[0], here),
            kept => Ok(kept),
        },

        F::Checklist => {
            let mut held = 0.0;
            for factor in &args[2..] {
                held += f64::from(u8::from(s.truth(factor, here)?));
            }
            let (least, most) = (number(0)?.trunc(), number(1)?.trunc());
            yes((least < 0.0 || held >= least) && (most < 0.0 || held <= most))
        }
        F::WeightedChecklist => {
            let mut weight = 0.0;
            for pair in args[2..].chunks_exact(2) {
                if s.truth(&pair[0], here)? {
                    weight += s.number(&pair[1], here)?;
                }
            }
            yes(weight >= number(0)? && weight <= number(1)?)
        }

        F::Number if args.is_empty() => num(s.read(here.node).number()),
        F::Number => num(number(0)?),
        F::Int => num(number(0)?.trunc() + 0.0),
        F::Round => {
            let places = if args.len() > 1 { number(1)? as i32 } else { 0 };
            num(round_at(number(0)?, places))
        }
        F::Floor => num(number(0)?.floor()),
        F::Ceiling => num(number(0)?.ceil() + 0.0),
        F::Abs => num(number(0)?.abs()),
        F::Min => num(flat_numbers(s, args, here)?.into_iter().fold(f64::NAN, f64::min)),
        F::Max => num(flat_numbers(s, args, here)?.into_iter().fold(f64::NAN, f64::max)),
        // An unanswered field adds nothing.
        F::Sum => num(flat_numbers(s, args, here)?
            .into_iter()
            .filter(|n| !n.is_nan())
            .fold(0.0, |a, n| a + n)),
        F::Pow => num(number(0)?.powf(number(1)?)),
        F::Sqrt => num(number(0)?.sqrt()),
        F::Random => {
            let draw = draw(s);
            let bits = u64::from_le_bytes([
                draw[0], draw[1], draw[2], draw[3], draw[4], draw[5], draw[6], draw[7],
            ]);
            num((bits >> 11) as f64 / (1_u64 << 53) as f64)
        }

        F::Pi => num(std::f64::consts::PI),
        F::Sin => num(number(0)?.sin()),
        F::Cos => num(number(0)?.cos()),
        F::Tan => num(number(0)?.tan()),
        F::Asin => num(number(0)?.asin()),
        F::Acos => num(number(0)?.acos()),
        F::Atan => num(number(0)?.atan()),
        F::Atan2 => num(number(0)?.atan2(number(1)?)),
        F::Exp => num(number(0)?.exp()),
        F::Exp10 => num(10_f64.powf(number(0)?)),
        F::Log => num(number(0)?.ln()),
        F::Log10 => num(number(0)?.log10()),

        F::Count => num(nodes(s, &args[0], here)?.len() as f64),
        F::CountNonEmpty => {
            let set = nodes(s, &args[0], here)?;
            num(set
                .into_iter()
                .filter(|n| !s.forest.node(*n).text.is_empty())
                .count() as f64)
        }
        F::Position if args.is_empty() => num(here.position as f64),
        F::Position => Ok(nodes(s, &args[0], here)?
            .first()
            .map_or_else(Value::empty, |n| Value::Number(position(s, *n)))),
        F::Last => num(here.size as f64),
        F::IndexedRepeat => indexed_repeat(s, args, here),
        F::Randomize => {
            let seed = if args.len() > 1 {
                number(1)? as i64
            } else {
                s.env.seed as i64
            };
            Ok(Value::Nodes(shuffle(nodes(s, &args[0], here)?, seed)))
        }
        F::PullData => pull_data(s, &text(0)?, &text(1)?, &text(2)?, &text(3)?),

        F::Today => Ok(Value::Date(s.env.now.date())),
        F::Now => Ok(Value::Moment(Box::new(s.env.now.clone()))),
        F::Date => Ok(match to_moment(s, s.scalar(&args[0], here)?) {
            Some(moment) => Value::Date(moment.date()),
            None => Value::empty(),
        }),
        F::DateTime => {
            Ok(to_moment(s, s.scalar(&args[0], here)?)
                .map_or_else(Value::empty, |m| Value::Moment(Box::new(m))))
        }
        F::DecimalDateTime => {
            num(to_moment(s, s.scalar(&args[0], here)?).map_or(f64::NAN, |m| dates::decimal_days(&m)))
        }
        F::DecimalTime => num(decimal_time(s, s.scalar(&args[0], here)?)),
        F::FormatDate | F::FormatDateTime => {
            let format = text(1)?;
            let moment = to_moment(s, s.scalar(&args[0], here)?);
            say(moment
                .map(|m| dates::format_moment(&m, &format, s.language))
                .unwrap_or_default())
        }

        // As in JavaRosa, so that the name of a choice may have spaces.
        F::Selected | F::IsSelected => {
            let wanted = format!(" {} ", text(1)?.trim());
            yes(format!(" {} ", text(0)?).contains(&wanted))
        }
        F::SelectedAt => {
            let at = number(1)?;
            let list = text(0)?;
            say(if at >= 0.0 {
                list.split_whitespace().nth(at as usize).unwrap_or("").to_owned()
            } else {
                String::new()
            })
        }
        F::CountSelected => num(text(0)?.split_whitespace().count() as f64),
        F::ChoiceName => say(s
            .host
            .choice_label(s, &text(0)?, text(1)?.trim(), here.current)
            .unwrap_or_default()),
        F::Itext => say(s.host.itext(s, &text(0)?, here.current).unwrap_or_default()),

        F::Uuid => {
            let length = if args.is_empty() { None } else { Some(number(0)?) };
            say(uuid(s, length))
        }
        F::Digest => {
            let encoding = if args.len() > 2 {
                text(2)?
            } else {
                "base64".to_owned()
            };
            say(digest(&text(0)?, &text(1)?, &encoding))
        }

        F::Base64Decode => say(decode(&text(0)?)),

        F::CedulaValid => yes(ecuador::cedula(&text(0)?).is_some()),
        F::RucValid => yes(ecuador::ruc(&text(0)?).is_some()),
        F::RucSure => yes(ecuador::ruc(&text(0)?).is_some_and(|r| r.sure)),
        F::PhoneValid => yes(ecuador::phone(&text(0)?).is_some()),
        F::PlateValid => yes(ecuador::plate(&text(0)?).is_some()),
        F::PredioValid => yes(ecuador::predio(&text(0)?).is_some()),
        F::MoneyValid => yes(ecuador::money_cents(&text(0)?).is_some()),
        F::CedulaNormal => say(ecuador::cedula(&text(0)?).unwrap_or_default()),
        F::RucNormal => say(ecuador::ruc(&text(0)?).map(|r| r.number).unwrap_or_default()),
        F::PhoneNormal => say(ecuador::phone(&text(0)?).map(|p| p.e164).unwrap_or_default()),
        F::PlateNormal => say(ecuador::plate(&text(0)?).map(|p| p.written).unwrap_or_default()),
        F::PlateMonth => {
            Ok(ecuador::plate_month(&text(0)?).map_or_else(Value::empty, |m| Value::Number(f64::from(m))))
        }
        F::MoneyNormal => Ok(
            ecuador::money_cents(&text(0)?).map_or_else(Value::empty, |c| Value::Number(c as f64 / 100.0))
        ),
        F::MoneyText => say(ecuador::money_text_of(&text(0)?).unwrap_or_default()),
        F::AgeYears => {
            let birth = to_moment(s, s.scalar(&args[0], here)?);
            let on = if args.len() > 1 {
                to_moment(s, s.scalar(&args[1], here)?)
            } else {
                Some(s.env.now.clone())
            };
            Ok(match (birth, on) {
                (Some(birth), Some(on)) => {
                    dates::years_between(birth.date(), on.date()).map_or_else(Value::empty, Value::Number)
                }
                _ => Value::empty(),
            })
        }
    }
}

pub(super) fn nodes(s: &Scope<'_>, expr: &Expr, here: Here) -> Result<Vec<NodeRef>, EvalError> {
    Ok(match s.eval(expr, here)? {
        Value::Nodes(nodes) => nodes,
        _ => vec![],
    })
}

/// The texts of the arguments, a node set giving one for each node.
fn flat_texts(s: &Scope<'_>, args: &[Expr], here: Here) -> Result<Vec<String>, EvalError> {
    let mut out = Vec::new();
    for arg in args {
        match s.eval(arg, here)? {
            Value::Nodes(nodes) => out.extend(nodes.into_iter().map(|n| s.read(n).text())),
            other => out.push(other.text()),
        }
    }
    Ok(out)
}

fn flat_numbers(s: &Scope<'_>, args: &[Expr], here: Here) -> Result<Vec<f64>, EvalError> {
    let mut out = Vec::new();
    for arg in args {
        match s.eval(arg, here)? {
            Value::Nodes(nodes) => out.extend(nodes.into_iter().map(|n| s.read(n).number())),
            other => out.push(other.number()),
        }
    }
    Ok(out)
}

fn coalesce(s: &Scope<'_>, args: &[Expr], here: Here) -> Result<Value, EvalError> {
    for arg in args {
        match s.scalar(arg, here)? {
            Value::Text(t) if t.is_empty() => {}
            Value::Number(n) if n.is_nan() => {}
            value => return Ok(value),
        }
    }
    Ok(Value::empty())
}

/// JavaRosa's `substr`: from a 0-based place up to, not including, another; negative places count from the end.
fn substr(text: &str, start: f64, end: Option<f64>) -> String {
    let length = text.chars().count() as f64;
    let place = |at: f64| {
        let at = if at.is_nan() { 0.0 } else { at.trunc() };
        if at < 0.0 {
            (length + at).max(0.0)
        } else {
            at.min(length)
        }
    };
    let (from, to) = (place(start) as usize, place(end.unwrap_or(length)) as usize);
    text.chars().skip(from).take(to.saturating_sub(from)).collect()
}

fn translate(text: &str, from: &str, to: &str) -> String {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let map = |c: char| match from.iter().position(|f| *f == c) {
        None => Some(c),
        Some(at) => to.get(at).copied(),
    };
    text.chars().filter_map(map).collect()
}

/// A pattern that cannot be compiled matches nothing; written patterns were refused when the form was compiled.
fn matches_pattern(s: &Scope<'_>, text: &str, pattern: String) -> bool {
    let mut known = s.patterns.borrow_mut();
    // A pattern put together from answers could fill the memory.
    if known.len() > 256 {
        known.clear();
    }
    let compiled = known
        .entry(pattern)
        .or_insert_with_key(|p| super::pattern::compile(p).ok());
    compiled.as_ref().is_some_and(|re| re.is_match(text))
}

fn to_moment(s: &Scope<'_>, value: Value) -> Option<ZonedDateTime> {
    let zone = s.env.now.time_zone();
    match value {
        Value::Moment(moment) => Some(*moment),
        Value::Date(date) => date.to_zoned_datetime(zone.clone()).ok(),
        Value::Number(days) if days.fract() == 0.0 => {
            dates::date_from_days(days)?.to_zoned_datetime(zone.clone()).ok()
        }
        Value::Number(days) => dates::moment_from_days(days, zone),
        Value::Text(text) => dates::parse_moment(&text, zone),
        Value::Bool(_) | Value::Nodes(_) => None,
    }
}

fn decimal_time(s: &Scope<'_>, value: Value) -> f64 {
    let time = match value {
        Value::Text(text) => dates::parse_time(&text)
            .or_else(|| dates::parse_moment(&text, s.env.now.time_zone()).map(|m| m.time())),
        Value::Moment(moment) => Some(moment.time()),
        _ => None,
    };
    time.map_or(f64::NAN, |t| {
        let seconds = f64::from(t.hour()) * 3600.0 + f64::from(t.minute()) * 60.0 + f64::from(t.second());
        (seconds + f64::from(t.millisecond()) / 1000.0) / 86_400.0
    })
}
