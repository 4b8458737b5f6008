//! The fields of a line of JSON, by JSON pointers (RFC 6901), read in one pass that keeps nothing else.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text::{Field, Found, RuleError, RuleKey};

/// Where the fields stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Pointers(Step);

/// One place in the JSON: what it is, and the ways on from it.
#[derive(Clone, Debug, Default)]
struct Step {
    fields: Vec<Field>,
    ways: Vec<(String, Step)>,
}

impl Pointers {
    /// Reads the pointers of a rule.
    pub(super) fn new(pointers: &[(Field, String)]) -> Result<Self, Vec<RuleError>> {
        let (mut root, mut errors) = (Step::default(), Vec::new());
        for (field, pointer) in pointers {
            match names(pointer) {
                Some(names) => {
                    let step = names.into_iter().fold(&mut root, |step, name| step.way(name));
                    step.fields.push(*field);
                }
                None => errors.push(no_pointer(*field, pointer)),
            }
        }
        if !pointers.iter().any(|(field, _)| *field == Field::Token) {
            errors.push(RuleError::new(RuleKey::Json, "`json` needs `token`", "add `token = \"/request_id\"`"));
        }
        if errors.is_empty() { Ok(Self(root)) } else { Err(errors) }
    }

    /// What a line has for each field; `None` where it is no JSON. Numbers are taken as they are written in
    /// decimal; what is neither text nor number counts as not given.
    pub(super) fn find<'l>(&self, line: &'l str) -> Option<Found<Cow<'l, str>>> {
        // Most lines that are no JSON at all are known by this.
        if !line.trim_ascii_start().starts_with(['{', '[']) {
            return None;
        }
        let mut found = Found::default();
        let mut json = serde_json::Deserializer::from_str(line);
        Walk { step: &self.0, found: &mut found }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(found)
    }
}

impl Step {
    /// The way on of this name, which is made where there is none.
    fn way(&mut self, name: String) -> &mut Self {
        let place = self.ways.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.ways.push((name, Self::default()));
            self.ways.len() - 1
        });
        &mut self.ways[place].1
    }
}

/// The names on the way of a pointer; `None` where it is none, or leads nowhere.
fn names(pointer: &str) -> Option<Vec<String>> {
    let names = pointer.strip_prefix('/')?.split('/');
    names
        .map(|name| {
            let plain = name.replace("~0", "").replace("~1", "");
            (!plain.contains('~')).then(|| name.replace("~1", "/").replace("~0", "~"))
        })
        .collect()
}

fn no_pointer(field: Field, pointer: &str) -> RuleError {
    let meant = match pointer.strip_prefix("$.").unwrap_or(pointer) {
        text if pointer.contains('~') => text.replace("~0", "~").replace("~1", "/").replace('~', "~0"),
        text => format!("/{}", text.trim_matches('.').replace('.', "/")),
    };
    let help = format!("a JSON pointer names each level behind a `/`: write `{} = \"{meant}\"`", field.name());
    RuleError::new(RuleKey::Pointer(field), "this is not a JSON pointer", help)
}

/// Reads one value.
struct Walk<'w, 'l> {
    step: &'w Step,
    found: &'w mut Found<Cow<'l, str>>,
}

impl<'l> Walk<'_, 'l> {
    fn keep(self, text: impl Into<Cow<'l, str>>) {
        let text = text.into();
        for field in &self.step.fields {
            self.found[*field as usize] = Some(text.clone());
        }
    }
}

impl<'l> DeserializeSeed<'l> for Walk<'_, 'l> {
    type Value = ();

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'l> Visitor<'l> for Walk<'_, 'l> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(way) = map.next_key_seed(Way(&self.step.ways))? {
            match way {
                Some(step) => map.next_value_seed(Walk { step, found: self.found })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'l>>(self, mut values: A) -> Result<(), A::Error> {
        for place in 0_usize.. {
            // Most arrays are on nobody's way.
            let name = if self.step.ways.is_empty() { String::new() } else { place.to_string() };
            let way = self.step.ways.iter().find(|(known, _)| *known == name);
            let more = match way {
                Some((_, step)) => values.next_element_seed(Walk { step, found: self.found })?.is_some(),
                None => values.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'l str) -> Result<(), E> {
        self.keep(text);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.keep(text.to_owned());
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.keep(number.to_string());
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.keep(number.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.keep(number.to_string());
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads the name of a value: the way that it leads.
struct Way<'w>(&'w [(String, Step)]);

impl<'l, 'w> DeserializeSeed<'l> for Way<'w> {
    type Value = Option<&'w Step>;

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for Way<'w> {
    type Value = Option<&'w Step>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(known, _)| known == name).map(|(_, step)| step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(pointers: &[(Field, &str)]) -> Result<Pointers, Vec<RuleError>> {
        let pointers: Vec<_> = pointers.iter().map(|(field, pointer)| (*field, (*pointer).to_owned())).collect();
        Pointers::new(&pointers)
    }

    #[test]
    fn fields_stand_where_the_pointers_lead() {
        let line = r#" {"a":{"b":["x",{"c":"t\u00e4 \"1\""}],"b~c/d":7},"n":1700000000.123,"skip":{"a":[1,{}]},"no":null,"y":true} "#;
        for (pointer, text) in [
            ("/a/b/0", Some("x")),
            ("/a/b/1/c", Some("tä \"1\"")),
            ("/a/b~0c~1d", Some("7")),
            ("/n", Some("1700000000.123")),
            ("/a/b/2", None),
            ("/a/b/01", None),
            ("/a/b", None),
            ("/skip", None),
            ("/no", None),
            ("/y", None),
            ("/nowhere/at/all", None),
        ] {
            let found = pointers(&[(Field::Token, pointer)]).unwrap().find(line).unwrap();
            assert_eq!(found[Field::Token as usize].as_deref(), text, "{pointer}");
        }
        let both = pointers(&[(Field::Token, "/n"), (Field::Alias, "/n"), (Field::Node, "/a/b/0")]).unwrap();
        let found = both.find(line).unwrap();
        assert_eq!(found.map(|text| text.map(Cow::into_owned)).iter().flatten().count(), 3);
    }

    #[test]
    fn only_whole_json_is_taken() {
        let pointers = pointers(&[(Field::Token, "/t")]).unwrap();
        for line in
            ["", "text", "{\"t\":\"x\"", "{\"t\":\"x\"} more", "{\"t\":\"\\ud800\"}", "\"t\"", &"[".repeat(100_000)]
        {
            assert!(pointers.find(line).is_none(), "{line:.40}");
        }
        assert!(pointers.find("{}").is_some());
    }

    #[test]
    fn what_is_no_pointer_is_told_how_to_write() {
        for (pointer, help) in [
            ("request_id", "\"/request_id\""),
            ("$.http.id", "\"/http/id\""),
            ("", "behind a `/`"),
            ("/a~b", "\"/a~0b\""),
        ] {
            let errors = pointers(&[(Field::Token, pointer)]).unwrap_err();
            assert!(errors[0].help.contains(help), "{pointer}: {}", errors[0].help);
        }
        assert_eq!(pointers(&[(Field::Node, "/a")]).unwrap_err()[0].key, RuleKey::Json);
    }
}
