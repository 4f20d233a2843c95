//! Whether a default is a value or an expression, told as pyxform tells it: by what the text is made of.

/// `data_type` is the type of the bind: a hyphen in a date is part of the date.
pub(super) fn is_dynamic(default: &str, data_type: &str) -> bool {
    let hyphenated = matches!(
        data_type,
        "date" | "dateTime" | "geopoint" | "geotrace" | "geoshape"
    );
    let mut rest = default;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("${") && rest.contains('}') {
            return true;
        }
        if let Some(length) = moment(rest).or_else(|| number(rest)) {
            rest = &rest[length..];
            continue;
        }
        match c {
            '-' if hyphenated => return false,
            '*' | '+' | '-' | '|' => return true,
            ' ' if rest.starts_with(" mod ") || rest.starts_with(" div ") => return true,
            '"' | '\'' => match rest[1..].find(c) {
                Some(end) => rest = &rest[end + 2..],
                None => rest = &rest[1..],
            },
            c if c == '_' || c.is_alphabetic() => {
                let name = |c: char| !(c == '_' || c == '-' || c == '.' || c == ':' || c.is_alphanumeric());
                let end = rest.find(name).unwrap_or(rest.len());
                if rest[end..].starts_with(['(', '[']) {
                    return true;
                }
                rest = &rest[end..];
            }
            c => rest = &rest[c.len_utf8()..],
        }
    }
    false
}

/// The length of a day, a time or both at the beginning of a text.
fn moment(text: &str) -> Option<usize> {
    let shaped = |text: &str, shape: &str| {
        let bytes = text.as_bytes();
        let fits = |(at, s): (usize, u8)| match bytes.get(at) {
            Some(b) if s == b'0' => b.is_ascii_digit(),
            Some(b) => *b == s,
            None => false,
        };
        shape.bytes().enumerate().all(fits)
    };
    let day = usize::from(text.starts_with('-'));
    let date = shaped(&text[day..], "0000-00-00").then_some(day + 10);
    let time = |at: usize| {
        let clock = shaped(text.get(at..)?, "00:00:00").then_some(at + 8)?;
        let zone = text.get(clock..)?;
        let length = if zone.starts_with('Z') {
            1
        } else if zone.starts_with(['+', '-']) && shaped(&zone[1..], "00:00") {
            6
        } else {
            0
        };
        Some(clock + length)
    };
    match date {
        Some(end) if text[end..].starts_with('T') => time(end + 1).or(Some(end)),
        Some(end) => Some(end),
        None => time(0),
    }
}

fn number(text: &str) -> Option<usize> {
    let sign = usize::from(text.starts_with('-'));
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(&text[sign..]);
    let point = text[sign + whole..].starts_with('.');
    let decimals = if point {
        digits(&text[sign + whole + 1..])
    } else {
        0
    };
    (whole > 0 || decimals > 0).then_some(sign + whole + usize::from(point) + decimals)
}

#[cfg(test)]
mod tests {
    use super::is_dynamic;

    #[test]
    fn values_and_expressions_are_told_apart() {
        for value in [
            "Quito",
            "2022-01-01",
            "2022-01-01T10:00:00Z",
            "-3.5",
            "don't",
            "a-b",
            "x",
            "12:00:00",
        ] {
            assert!(!is_dynamic(value, "string"), "{value}");
        }
        for expression in [
            "today()",
            "${x}",
            "1 + 1",
            "a * b",
            "x[1]",
            "7 mod 2",
            "Quito - Norte",
        ] {
            assert!(is_dynamic(expression, "string"), "{expression}");
        }
        assert!(!is_dynamic("enero - 2022", "date"));
    }
}
