//! Inputs that are made of a corpus: most are right but for one thing or a few, for whatever is
//! broken everywhere is refused at the door. Where JSON stands, its values are changed; else lines,
//! words and bytes are. Always the same ones for the same corpus.

use std::path::PathBuf;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use crate::{Input, cluster, words};

/// Makes inputs.
pub(crate) struct Maker {
    rng: StdRng,
    inputs: Vec<Sample>,
    words: Vec<Vec<u8>>,
    /// Values that stand somewhere in the corpus.
    values: Vec<Value>,
    /// Whether JSON may be YAML as well.
    yaml: bool,
    /// Whether a whole cluster is an input.
    clusters: bool,
}

/// An input, and the JSON in it: its parts in their order.
type Sample = Vec<Part>;

#[derive(Clone)]
enum Part {
    Bytes(Vec<u8>),
    Json(Value),
}

impl Maker {
    pub(crate) fn new(target: &str, corpus: &[Input]) -> Self {
        let is_yaml = |path: &PathBuf| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        };
        let seed = target.bytes().fold(7, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        let words = words::of(corpus.iter().map(|(_, input)| input.as_slice()));
        let inputs: Vec<Sample> = corpus.iter().map(|(_, input)| sample(input)).collect();
        let mut values = Vec::new();
        for part in inputs.iter().flatten() {
            if let Part::Json(value) = part {
                gather(value, &mut values);
            }
        }
        Self {
            rng: StdRng::seed_from_u64(seed),
            words,
            yaml: corpus.iter().any(|(path, _)| is_yaml(path)),
            inputs,
            values,
            clusters: target == "records",
        }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = if self.clusters && self.rng.random_bool(0.4) {
            vec![Part::Json(cluster::any(&mut self.rng))]
        } else {
            self.inputs.choose(&mut self.rng).unwrap().clone()
        };
        let jsons = input
            .iter()
            .filter(|part| matches!(part, Part::Json(_)))
            .count();
        let mut changes = self.rng.random_range(1..=4);
        if jsons > 0 && self.rng.random_bool(0.8) {
            for _ in 0..changes {
                let chosen = self.rng.random_range(0..jsons);
                let values = input.iter_mut().filter_map(|part| match part {
                    Part::Json(value) => Some(value),
                    Part::Bytes(_) => None,
                });
                values
                    .skip(chosen)
                    .take(1)
                    .for_each(|value| self.change(value));
            }
            // Now and then one of the lines, or a byte, is changed as well.
            changes = usize::from(self.rng.random_bool(0.1));
        }
        if self.yaml && self.rng.random_bool(0.1) {
            let only = if let [Part::Json(value)] = &*input {
                Some(value)
            } else {
                None
            };
            let printed = only.and_then(|value| serde_saphyr::to_string(value).ok());
            input = printed.map_or(input, |text| vec![Part::Bytes(text.into_bytes())]);
        }
        let mut input = joined(&input);
        for _ in 0..changes {
            match self.rng.random_range(0..10) {
                0..4 => self.change_lines(&mut input),
                4..8 => self.change_words(&mut input),
                _ => self.change_bytes(&mut input),
            }
        }
        input
    }

    fn word(&mut self) -> Vec<u8> {
        self.words.choose(&mut self.rng).unwrap().clone()
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.word()).into_owned()
    }

    fn value(&mut self) -> Value {
        let odd = [
            json!(null),
            json!(true),
            json!(false),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(u64::MAX),
            json!(i64::MIN),
            json!([]),
            json!({}),
            json!([[]]),
            json!({"": {}}),
            json!(""),
        ];
        match self.rng.random_range(0..3) {
            0 => odd.choose(&mut self.rng).unwrap().clone(),
            1 => self.text().into(),
            _ => self
                .values
                .choose(&mut self.rng)
                .unwrap_or(&Value::Null)
                .clone(),
        }
    }

    /// Changes one value somewhere in `value`.
    fn change(&mut self, value: &mut Value) {
        let within = self.rng.random_range(0..size(value));
        let mut left = within;
        let spot = find(value, &mut left).unwrap();
        match (self.rng.random_range(0..5), spot) {
            (0, Value::Object(fields)) => self.change_fields(fields),
            (0 | 1, Value::Array(items)) => self.change_items(items),
            (1, Value::Object(fields)) => {
                let keys: Vec<String> = fields.keys().cloned().collect();
                keys.choose(&mut self.rng).map(|key| fields.remove(key));
            }
            (0..=2, Value::String(text)) => {
                let mut bytes = std::mem::take(text).into_bytes();
                self.change_words(&mut bytes);
                *text = String::from_utf8_lossy(&bytes).into_owned();
            }
            (4, spot) if self.rng.random_bool(0.2) => *spot = json!([spot.take()]),
            (_, spot) => *spot = self.value(),
        }
    }

    fn change_fields(&mut self, fields: &mut Map<String, Value>) {
        let keys: Vec<String> = fields.keys().cloned().collect();
        let key = keys.choose(&mut self.rng).cloned();
        let moved = key
            .filter(|_| self.rng.random_bool(0.5))
            .and_then(|key| fields.remove(&key));
        let value = moved.unwrap_or_else(|| self.value());
        let key = self.text();
        fields.insert(key, value);
    }

    fn change_items(&mut self, items: &mut Vec<Value>) {
        let at = self.rng.random_range(0..=items.len());
        match (self.rng.random_range(0..4), at < items.len()) {
            (0, true) => drop(items.remove(at)),
            (1, true) => items.insert(at, items[at].clone()),
            (2, true) => {
                let other = self.rng.random_range(0..items.len());
                items.swap(at, other);
            }
            _ => items.insert(at, self.value()),
        }
    }

    fn change_lines(&mut self, input: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = input
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        let at = self.rng.random_range(0..lines.len());
        let other = self.rng.random_range(0..lines.len());
        match self.rng.random_range(0..5) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[other].clone()),
            2 => lines.swap(at, other),
            3 => lines.insert(at, self.word()),
            _ => {
                let donor = joined(self.inputs.choose(&mut self.rng).unwrap());
                let donors: Vec<&[u8]> = donor.split(|byte| *byte == b'\n').collect();
                lines[at] = donors.choose(&mut self.rng).unwrap().to_vec();
            }
        }
        *input = lines.join(&b'\n');
    }

    /// A word is taken away, put in the place of another, or put between two.
    fn change_words(&mut self, input: &mut Vec<u8>) {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric();
        let at = self.rng.random_range(0..=input.len());
        let before = input[..at]
            .iter()
            .rev()
            .take_while(|byte| is_part(**byte))
            .count();
        let behind = input[at..]
            .iter()
            .take_while(|byte| is_part(**byte))
            .count();
        let word = match self.rng.random_range(0..4) {
            0 => Vec::new(),
            _ => self.word(),
        };
        let span = if self.rng.random_bool(0.3) {
            at..at
        } else {
            at - before..at + behind
        };
        input.splice(span, word);
    }

    fn change_bytes(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.random_range(0..=input.len());
        let end = (at + self.rng.random_range(0..9)).min(input.len());
        match self.rng.random_range(0..4) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, self.rng.random()),
            2 => input.truncate(at),
            _ => input[at..end]
                .iter_mut()
                .for_each(|byte| *byte ^= 1 << (at % 8)),
        }
    }
}

/// The parts of an input: JSON is all of it, or what stands behind an empty line, or single lines.
fn sample(input: &[u8]) -> Sample {
    let read = |text: &[u8]| {
        let begins = text.first().is_some_and(|byte| b"{[".contains(byte));
        begins.then(|| serde_json::from_slice(text).ok()).flatten()
    };
    let body = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = input.split_at(body.map_or(0, |end| end + 2));
    if let Some(value) = read(body) {
        let head = Part::Bytes(head.to_vec());
        return if body == input {
            vec![Part::Json(value)]
        } else {
            vec![head, Part::Json(value)]
        };
    }
    let mut parts = Vec::new();
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        match read(line) {
            None => parts.push(Part::Bytes(line.to_vec())),
            Some(value) => parts.extend([Part::Json(value), Part::Bytes(b"\n".to_vec())]),
        }
    }
    parts
}

fn joined(sample: &[Part]) -> Vec<u8> {
    let bytes = sample.iter().flat_map(|part| match part {
        Part::Bytes(bytes) => bytes.clone(),
        Part::Json(value) => value.to_string().into_bytes(),
    });
    bytes.collect()
}

fn children(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

fn size(value: &mut Value) -> usize {
    1 + children(value).map(size).sum::<usize>()
}

/// The value of that number within `value`, itself being the first.
fn find<'a>(value: &'a mut Value, number: &mut usize) -> Option<&'a mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    children(value).find_map(|child| find(child, number))
}

fn gather(value: &Value, values: &mut Vec<Value>) {
    if values.len() < 3000 {
        values.push(value.clone());
        match value {
            Value::Array(items) => items.iter().for_each(|item| gather(item, values)),
            Value::Object(fields) => fields.values().for_each(|field| gather(field, values)),
            _ => {}
        }
    }
}
