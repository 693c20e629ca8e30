//! Which objects a list or a watch of the scripted API server shows: by namespace, labels and fields.
//! The forms of selectors are those of
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors> and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/>, but for `>`
//! and `<` in the first and fields of single kinds in the second.

use serde_json::Value;

/// What objects have to be like.
#[derive(Debug, Default)]
pub(super) struct Selection {
    namespace: Option<String>,
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

#[derive(Debug)]
struct Requirement {
    key: String,
    rule: Rule,
}

#[derive(Debug)]
enum Rule {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl Selection {
    /// Reads selectors; an error says what is wrong with them.
    pub(super) fn read(
        namespace: Option<String>,
        labels: &str,
        fields: &str,
    ) -> Result<Self, String> {
        let fields = fields.split(',').filter(|term| !term.is_empty());
        Ok(Self {
            namespace,
            labels: Labels::read(labels)?,
            fields: fields.map(field).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it asks for more than a namespace.
    pub(super) fn chooses(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    /// What the keys of all objects begin with.
    pub(super) fn prefix(&self) -> String {
        let namespace = self.namespace.as_ref();
        namespace.map_or_else(String::new, |namespace| format!("{namespace}/"))
    }

    /// Whether an object is like that.
    pub(super) fn takes(&self, object: &Value) -> bool {
        let meta = &object["metadata"];
        let field = |key: &str| meta[key.trim_start_matches("metadata.")].as_str();
        let namespace = self.namespace.as_deref();
        namespace.is_none_or(|wanted| meta["namespace"] == wanted)
            && self
                .labels
                .iter()
                .all(|it| it.holds(meta["labels"][&*it.key].as_str()))
            && self
                .fields
                .iter()
                .all(|it| it.holds(Some(field(&it.key).unwrap_or_default())))
    }
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let among = |values: &[String]| value.is_some_and(|it| values.iter().any(|one| one == it));
        match &self.rule {
            Rule::In(values) => among(values),
            Rule::NotIn(values) => !among(values),
            Rule::Exists => value.is_some(),
            Rule::Absent => value.is_none(),
        }
    }
}

/// `metadata.name=web`, `metadata.namespace!=shop`.
fn field(term: &str) -> Result<Requirement, String> {
    let unequal = term.split_once("!=");
    let equal = || term.split_once("==").or_else(|| term.split_once('='));
    let Some((key, value)) = unequal.or_else(equal) else {
        return Err(format!("invalid selector: '{term}'"));
    };
    if !["metadata.name", "metadata.namespace"].contains(&key) {
        return Err(format!("\"{key}\" is not a known field selector"));
    }
    let values = vec![value.to_owned()];
    let rule = if unequal.is_some() {
        Rule::NotIn(values)
    } else {
        Rule::In(values)
    };
    let key = key.to_owned();
    Ok(Requirement { key, rule })
}

/// A label selector that is being read.
struct Labels<'a>(&'a str);

impl<'a> Labels<'a> {
    fn read(text: &'a str) -> Result<Vec<Requirement>, String> {
        let mut rest = Self(text);
        let mut found = Vec::new();
        while !rest.0.trim().is_empty() {
            if !found.is_empty() && !rest.takes(",") {
                return Err(rest.wrong("','"));
            }
            found.push(rest.requirement()?);
        }
        Ok(found)
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = self.takes("!");
        let key = self.word().to_owned();
        if key.is_empty() {
            return Err(self.wrong("an identifier"));
        }
        let rule = if absent {
            Rule::Absent
        } else if self.takes("!=") {
            Rule::NotIn(vec![self.word().to_owned()])
        } else if self.takes("==") || self.takes("=") {
            Rule::In(vec![self.word().to_owned()])
        } else {
            match self.word() {
                "in" => Rule::In(self.values()?),
                "notin" => Rule::NotIn(self.values()?),
                "" => Rule::Exists,
                other => return Err(format!("unable to parse requirement: found '{other}'")),
            }
        };
        Ok(Requirement { key, rule })
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        if !self.takes("(") {
            return Err(self.wrong("'('"));
        }
        let mut values = vec![self.word().to_owned()];
        while self.takes(",") {
            values.push(self.word().to_owned());
        }
        if self.takes(")") {
            Ok(values)
        } else {
            Err(self.wrong("',' or ')'"))
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn word(&mut self) -> &'a str {
        let text = self.0.trim_start();
        let is_of_word = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let end = text.find(|c| !is_of_word(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        word
    }

    fn wrong(&self, expected: &str) -> String {
        format!(
            "unable to parse requirement: found '{}', expected: {expected}",
            self.0
        )
    }
}
