//! The documents of a file: YAML, or JSON where it begins like JSON.

use serde_json::Value;
use serde_saphyr::Spanned;

use super::FileError;

/// A document.
pub(super) struct Document {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// Its content.
    pub(super) value: Value,
}

/// The documents in `text`.
pub(super) fn documents(text: &str) -> Result<Vec<Document>, FileError> {
    let documents = if text.trim_start().starts_with(['{', '[']) {
        json(text)
    } else {
        yaml(text)
    }?;
    if documents.is_empty() {
        return Err(FileError {
            line: 1,
            problem: "there is nothing in the file".to_owned(),
        });
    }
    Ok(documents)
}

fn json(text: &str) -> Result<Vec<Document>, FileError> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut documents = Vec::new();
    loop {
        let before = text.get(..stream.byte_offset()).unwrap_or_default();
        let blank = text
            .get(before.len()..)
            .map_or(0, |rest| rest.len() - rest.trim_start().len());
        let begins = text.get(..before.len() + blank).unwrap_or_default();
        let line = 1 + begins.matches('\n').count();
        match stream.next() {
            None => return Ok(documents),
            Some(Ok(value)) => documents.push(Document { line, value }),
            Some(Err(error)) => {
                let problem = format!("this is not JSON: {error}");
                return Err(FileError {
                    line: error.line().max(1),
                    problem,
                });
            }
        }
    }
}

fn yaml(text: &str) -> Result<Vec<Document>, FileError> {
    // The file is the user's own: no bound on its size.
    let options = serde_saphyr::options! { budget: None };
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<Value>>(text, options);
    let documents = documents.map_err(|error| {
        let line = error
            .location()
            .and_then(|at| usize::try_from(at.line()).ok())
            .unwrap_or(1);
        let message = error.without_snippet().to_string();
        let problem = format!(
            "this is not YAML: {}",
            message.lines().next().unwrap_or_default()
        );
        FileError {
            line: line.max(1),
            problem,
        }
    })?;
    let documents = documents.into_iter().map(|document| Document {
        line: usize::try_from(document.referenced.line())
            .unwrap_or(1)
            .max(1),
        value: document.value,
    });
    Ok(documents.collect())
}
