//! The numbers behind the bar, read as strictly as the guidelines for plugins write them:
//! `'label'=value[UOM];[warn];[crit];[min];[max]`.

/// From where to where a value raises no alarm; an end that is missing is endless.
pub(super) type Range = (Option<f64>, Option<f64>);

/// A number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Datum {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) warning: Option<Range>,
    pub(super) critical: Option<Range>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
}

impl Datum {
    /// A value without anything else.
    pub(super) fn plain(label: &str, value: f64) -> Self {
        Self {
            label: label.to_owned(),
            value,
            unit: String::new(),
            warning: None,
            critical: None,
            minimum: None,
            maximum: None,
        }
    }
}

/// Every number of a plugin's output, or what is wrong with it.
pub(super) fn parsed(mut text: &str) -> Result<Vec<Datum>, String> {
    let mut data = Vec::new();
    loop {
        let (label, rest) = label(text)?;
        let (numbers, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        data.push(datum(label, numbers)?);
        if rest.is_empty() {
            return Ok(data);
        }
        text = rest;
    }
}

/// A label with its quotes taken off, and what follows its sign.
fn label(text: &str) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('\'') else {
        let (label, rest) = text.split_once('=').ok_or("no `=`")?;
        if label.contains([' ', '\'']) || label.is_empty() {
            return Err(format!("`{label}` wants quotes"));
        }
        return Ok((label.to_owned(), rest));
    };
    let (label, rest) = quoted.split_once("'=").ok_or("a label has no end")?;
    if label.contains('=') || label.replace("''", "").contains('\'') {
        return Err(format!("`{label}` has a sign that a label cannot have"));
    }
    Ok((label.replace("''", "'"), rest))
}

fn datum(label: String, numbers: &str) -> Result<Datum, String> {
    let fields: Vec<&str> = numbers.split(';').collect();
    if fields.len() > 5 {
        return Err(format!("`{numbers}` has too many fields"));
    }
    let field = |n: usize| fields.get(n).copied().filter(|field| !field.is_empty());
    let unit_at = fields[0].find(|c: char| !matches!(c, '0'..='9' | '-' | '.'));
    let (value, unit) = fields[0].split_at(unit_at.unwrap_or(fields[0].len()));
    if !["", "s", "us", "ms", "%", "B", "KB", "MB", "TB", "c"].contains(&unit) {
        return Err(format!("`{unit}` is no unit"));
    }
    Ok(Datum {
        label,
        value: number(value)?,
        unit: unit.to_owned(),
        warning: field(1).map(range).transpose()?,
        critical: field(2).map(range).transpose()?,
        minimum: field(3).map(number).transpose()?,
        maximum: field(4).map(number).transpose()?,
    })
}

/// `10` is 0 to 10, `10:` is 10 and more, `~:10` is 10 and less.
fn range(text: &str) -> Result<Range, String> {
    match text.split_once(':') {
        None => Ok((Some(0.0), Some(number(text)?))),
        Some(("~", end)) => Ok((None, Some(number(end)?))),
        Some((start, "")) => Ok((Some(number(start)?), None)),
        Some((start, end)) => Ok((Some(number(start)?), Some(number(end)?))),
    }
}

fn number(text: &str) -> Result<f64, String> {
    let is_plain = text.chars().all(|c| matches!(c, '0'..='9' | '-' | '.'));
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| format!("`{text}` is no number"))
}
