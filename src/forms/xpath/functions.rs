//! The functions a form may call, with how many arguments each takes.
//!
//! A name outside this list is refused when the form is compiled, never in front of a citizen.

use super::ast::Expr;

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:expr;)*) => {
        /// One function of the form language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Function { $($variant),* }

        impl Function {
            /// Every function, in the order of the manual.
            pub const ALL: &[Function] = &[$(Function::$variant),*];

            /// The name as written in a sheet.
            pub fn name(self) -> &'static str {
                match self { $(Function::$variant => $name),* }
            }

            /// The least and the greatest number of arguments.
            fn arity(self) -> (usize, usize) {
                match self { $(Function::$variant => ($least, $most)),* }
            }

            /// Finds a function by its name.
            pub fn named(name: &str) -> Option<Function> {
                match name { $($name => Some(Function::$variant),)* _ => None }
            }
        }
    };
}

const MANY: usize = 255;

functions! {
    // Text
    String "string" 0 1;
    Concat "concat" 1 MANY;
    Join "join" 1 MANY;
    Substr "substr" 2 3;
    SubstringBefore "substring-before" 2 2;
    SubstringAfter "substring-after" 2 2;
    StringLength "string-length" 0 1;
    NormalizeSpace "normalize-space" 0 1;
    Translate "translate" 3 3;
    Contains "contains" 2 2;
    StartsWith "starts-with" 2 2;
    EndsWith "ends-with" 2 2;
    Regex "regex" 2 2;
    UpperCase "upper-case" 1 1;
    LowerCase "lower-case" 1 1;
    // Logic
    True "true" 0 0;
    False "false" 0 0;
    Not "not" 1 1;
    Boolean "boolean" 1 1;
    BooleanFromString "boolean-from-string" 1 1;
    If "if" 3 3;
    Coalesce "coalesce" 2 MANY;
    Once "once" 1 1;
    Checklist "checklist" 3 MANY;
    WeightedChecklist "weighted-checklist" 4 MANY;
    // Numbers
    Number "number" 0 1;
    Int "int" 1 1;
    Round "round" 1 2;
    Floor "floor" 1 1;
    Ceiling "ceiling" 1 1;
    Abs "abs" 1 1;
    Min "min" 1 MANY;
    Max "max" 1 MANY;
    Sum "sum" 1 1;
    Pow "pow" 2 2;
    Sqrt "sqrt" 1 1;
    Random "random" 0 0;
    Pi "pi" 0 0;
    Sin "sin" 1 1;
    Cos "cos" 1 1;
    Tan "tan" 1 1;
    Asin "asin" 1 1;
    Acos "acos" 1 1;
    Atan "atan" 1 1;
    Atan2 "atan2" 2 2;
    Exp "exp" 1 1;
    Exp10 "exp10" 1 1;
    Log "log" 1 1;
    Log10 "log10" 1 1;
    // Node sets
    Count "count" 1 1;
    CountNonEmpty "count-non-empty" 1 1;
    Position "position" 0 1;
    Last "last" 0 0;
    IndexedRepeat "indexed-repeat" 3 11;
    Randomize "randomize" 1 2;
    PullData "pulldata" 4 4;
    // Dates
    Today "today" 0 0;
    Now "now" 0 0;
    Date "date" 1 1;
    DateTime "date-time" 1 1;
    DecimalDateTime "decimal-date-time" 1 1;
    DecimalTime "decimal-time" 1 1;
    FormatDate "format-date" 2 2;
    FormatDateTime "format-date-time" 2 2;
    // Choices
    Selected "selected" 2 2;
    IsSelected "is-selected" 2 2;
    SelectedAt "selected-at" 2 2;
    CountSelected "count-selected" 1 1;
    ChoiceName "jr:choice-name" 2 2;
    Itext "jr:itext" 1 1;
    // Identity
    Uuid "uuid" 0 1;
    Digest "digest" 2 3;
    Base64Decode "base64-decode" 1 1;
    // Ecuador
    CedulaValid "cedula-valid" 1 1;
    RucValid "ruc-valid" 1 1;
    RucSure "ruc-sure" 1 1;
    PhoneValid "phone-valid" 1 1;
    PlateValid "plate-valid" 1 1;
    PredioValid "predio-valid" 1 1;
    MoneyValid "money-valid" 1 1;
    CedulaNormal "cedula-normal" 1 1;
    RucNormal "ruc-normal" 1 1;
    PhoneNormal "phone-normal" 1 1;
    PlateNormal "plate-normal" 1 1;
    PlateMonth "plate-month" 1 1;
    MoneyNormal "money-normal" 1 1;
    MoneyText "money-text" 1 1;
    AgeYears "age-years" 1 2;
}

impl Function {
    /// Refuses a call whose arguments can never work.
    pub(super) fn check_arguments(self, arguments: &[Expr]) -> Result<(), String> {
        let (least, most) = self.arity();
        let name = self.name();
        let given = arguments.len();
        if given < least || given > most {
            let wanted = match (least, most) {
                (a, b) if a == b => a.to_string(),
                (a, MANY) => format!("at least {a}"),
                (a, b) => format!("{a} to {b}"),
            };
            return Err(format!("{name}() takes {wanted} arguments and has {given}"));
        }
        if self == Function::IndexedRepeat && given.is_multiple_of(2) {
            return Err("indexed-repeat() takes a field, then pairs of a repeat and a number".to_owned());
        }
        if self == Function::WeightedChecklist && !given.is_multiple_of(2) {
            return Err(
                "weighted-checklist() takes a least, a most, then pairs of a condition and a weight"
                    .to_owned(),
            );
        }
        let mut paths: Vec<&Expr> = match self {
            Function::Count
            | Function::CountNonEmpty
            | Function::Sum
            | Function::Position
            | Function::Randomize => arguments.iter().take(1).collect(),
            Function::IndexedRepeat => arguments.iter().take(2).collect(),
            _ => vec![],
        };
        // randomize() may wrap the sorted or filtered list only as a path.
        paths.retain(|a| !matches!(a, Expr::Path(_) | Expr::Call(Function::Randomize, _)));
        if !paths.is_empty() {
            return Err(format!("{name}() needs a field or repeat there, not a value"));
        }
        self.check_literals(arguments)
    }

    fn check_literals(self, arguments: &[Expr]) -> Result<(), String> {
        let second = arguments.get(1).and_then(Expr::as_literal);
        match (self, second) {
            (Function::Regex, Some(pattern)) => super::pattern::compile(pattern).map(|_| ()),
            (Function::FormatDate | Function::FormatDateTime, Some(format)) => {
                super::dates::check_format(format)
            }
            (Function::Digest, Some(algorithm)) if !super::codes::DIGESTS.contains(&algorithm) => {
                Err(format!(
                    "digest() knows {}, not `{algorithm}`",
                    super::codes::DIGESTS.join(", ")
                ))
            }
            _ => Ok(()),
        }
    }
}
