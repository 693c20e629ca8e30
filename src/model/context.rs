//! Context: what the annotations of a namespace, a workload and a pod say about a record. Values
//! that the API would refuse are dropped here, each with a Gap's reason: the record still goes out.
//! Environments come from labels and are no part of this.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::facts::Annotations;
use super::gap::Reason;
use super::origin::{self, Level, Origin};
use super::record::Destination;
use super::regex_map::RegexMap;
use super::risk::{Risk, Risks};
use super::text_map::TextMap;

/// The annotation with the comma-separated runtime risks.
const RISKS: &str = "runtime-risks";
/// The annotation with the repository that the image was built from.
const REPOSITORY: &str = "repository";
/// The annotation that opts out.
const IGNORE: &str = "ignore";

/// The annotations that are no tags.
pub const NO_TAGS: [&str; 3] = [RISKS, REPOSITORY, IGNORE];

/// How many tags a record may have: documented for the endpoint of a single record, held to
/// everywhere.
const MOST_TAGS: usize = 5;
/// How many characters the key and the value of a tag may have.
const LONGEST_TAG: usize = 100;
/// How many characters a repository may have, by the contract.
const LONGEST_REPOSITORY: usize = 100;

/// What annotations say about a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// At most five tags.
    pub tags: TextMap,
    /// The repository that the image was built from, without its owner.
    pub repository: Option<Arc<str>>,
    /// Where that comes from.
    pub origin: Origin,
    /// Runtime risks.
    pub risks: Risks,
    /// Whether it is opted out.
    pub ignored: bool,
    /// What was dropped: why, and which value. In a fixed order.
    pub gaps: Vec<(Reason, Arc<str>)>,
}

impl Context {
    /// Merges the annotations of namespace, workload and pod, as far as each is known. What is
    /// nearer to the pod wins, valid or not; risks are the union. Where `organization` is empty it
    /// is not known, and the owner of a repository is not compared.
    pub fn merge(
        namespace: Option<&Annotations>,
        workload: Option<&Annotations>,
        pod: Option<&Annotations>,
        organization: &str,
    ) -> Self {
        let mut context = Self::default();
        let mut nearest = BTreeMap::new();
        let levels = [
            (Level::Namespace, namespace),
            (Level::Workload, workload),
            (Level::Pod, pod),
        ];
        for (level, annotations) in levels {
            for (key, value) in annotations.into_iter().flat_map(TextMap::iter) {
                match &**key {
                    RISKS => context.add_risks(value),
                    _ => drop(nearest.insert(key, (level, value))),
                }
            }
        }
        let mut tags = Vec::new();
        for (key, (level, value)) in nearest {
            match &**key {
                IGNORE => context.ignored = is_true(value),
                REPOSITORY => {
                    context.origin = Origin::Annotation(level);
                    context.set_repository(value, organization);
                }
                _ if is_tag(key) && is_tag(value) => tags.push((key.clone(), value.clone())),
                _ => context.gap(Reason::InvalidTag, shortened(key)),
            }
        }
        context.keep_the_first(&tags.into_iter().collect());
        context.sort_gaps();
        context
    }

    /// Takes the repository from `map` where no annotation names one, valid or not: what a person
    /// wrote and got wrong is not replaced by a guess. `image` is the name that is recorded.
    pub fn map_repository(&mut self, image: &str, map: &RegexMap) {
        if self.origin != Origin::Nothing {
            return;
        }
        let Some((name, rule)) = map.find(image) else {
            return;
        };
        self.origin = Origin::Rule(rule.clone());
        if is_repository(&name) {
            self.repository = Some(name);
        } else {
            self.gap(Reason::InvalidRepository, shortened(&name));
            self.sort_gaps();
        }
    }

    /// Takes the repository from the image's label where neither an annotation nor a rule names one.
    /// `label`: what is known of it, `None` while it is not read. One that points elsewhere is no
    /// Gap: most images of others have such a one.
    pub fn read_label(&mut self, label: Option<&Option<Arc<str>>>, destination: &Destination) {
        if self.origin != Origin::Nothing {
            return;
        }
        self.origin = match label {
            None => Origin::Unread,
            Some(None) => Origin::Nothing,
            Some(Some(text)) => {
                self.repository = origin::repository(text, destination);
                match self.repository {
                    Some(_) => Origin::Label(text.clone()),
                    None => Origin::Elsewhere(text.clone()),
                }
            }
        };
    }

    fn sort_gaps(&mut self) {
        self.gaps.sort();
        self.gaps.dedup();
    }

    fn add_risks(&mut self, list: &str) {
        for word in list
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            match Risk::parse(word) {
                Some(risk) => self.risks.insert(risk),
                None => self.gap(Reason::InvalidRisk, shortened(word)),
            }
        }
    }

    fn set_repository(&mut self, text: &str, organization: &str) {
        let text = text.trim();
        let name = match text.split_once('/') {
            Some((owner, name))
                if organization.is_empty() || owner.eq_ignore_ascii_case(organization) =>
            {
                name
            }
            _ => text,
        };
        if is_repository(name) {
            self.repository = Some(name.into());
        } else {
            self.gap(Reason::InvalidRepository, shortened(text));
        }
    }

    fn keep_the_first(&mut self, tags: &TextMap) {
        let (kept, dropped) = tags.split(MOST_TAGS);
        self.tags = kept;
        if !dropped.is_empty() {
            let keys: Vec<&str> = dropped.iter().map(|(key, _)| &**key).collect();
            self.gap(Reason::TooManyTags, keys.join(", "));
        }
    }

    fn gap(&mut self, reason: Reason, detail: String) {
        self.gaps.push((reason, detail.into()));
    }
}

/// Whether an object with these annotations opts out, as far as nothing nearer to the pod says otherwise.
pub fn opts_out(annotations: &Annotations) -> bool {
    annotations.get(IGNORE).is_some_and(|value| is_true(value))
}

fn is_true(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("true")
}

/// Whether the API takes `name` as a repository: `^[A-Za-z0-9.\-_]+$`, up to 100 characters.
pub fn is_repository(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=LONGEST_REPOSITORY).contains(&name.len()) && name.chars().all(is_allowed)
}

/// Whether a tag may have `text` as its key or value.
fn is_tag(text: &str) -> bool {
    (1..=LONGEST_TAG).contains(&text.chars().count())
}

/// Enough of a value to find it again: annotations may be 256 KiB long.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TAG) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;

    fn annotations(pairs: &[(&str, &str)]) -> Annotations {
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    }

    /// The context of the one set of annotations, for the organization `acme`.
    fn of_pod(pairs: &[(&str, &str)]) -> Context {
        Context::merge(None, None, Some(&annotations(pairs)), "acme")
    }

    fn gaps(context: &Context) -> Vec<(Reason, &str)> {
        context
            .gaps
            .iter()
            .map(|(reason, detail)| (*reason, &**detail))
            .collect()
    }

    #[test]
    fn what_is_nearer_to_the_pod_wins_and_risks_are_the_union() {
        let namespace = annotations(&[
            ("team", "platform"),
            ("tier", "one"),
            ("repository", "everything"),
            ("runtime-risks", "internet-exposed"),
            ("ignore", "true"),
        ]);
        let workload = annotations(&[
            ("team", "shop"),
            ("repository", "shop"),
            ("runtime-risks", "sensitive-data, internet-exposed"),
        ]);
        let pod = annotations(&[("team", "cart"), ("ignore", "false")]);
        let context = Context::merge(Some(&namespace), Some(&workload), Some(&pod), "acme");
        assert_eq!(
            context.tags,
            annotations(&[("team", "cart"), ("tier", "one")])
        );
        assert_eq!(context.repository.as_deref(), Some("shop"));
        assert_eq!(
            context.risks,
            [Risk::InternetExposed, Risk::SensitiveData].into()
        );
        assert!(!context.ignored);
        assert_eq!(context.gaps, []);
        let unread = Context::merge(Some(&namespace), None, None, "acme");
        assert!(unread.ignored);
        assert_eq!(Context::merge(None, None, None, "acme"), Context::default());
    }

    #[test]
    fn only_true_opts_out() {
        for (value, ignored) in [
            ("true", true),
            ("True", true),
            (" true ", true),
            ("false", false),
            ("", false),
            ("yes", false),
            ("1", false),
        ] {
            assert_eq!(of_pod(&[("ignore", value)]).ignored, ignored, "{value:?}");
        }
    }

    #[test]
    fn a_repository_is_taken_without_the_organization_it_belongs_to() {
        for (text, repository) in [
            ("web", Some("web")),
            ("acme/web", Some("web")),
            ("ACME/Web.js_1-2", Some("Web.js_1-2")),
            (" web ", Some("web")),
            ("other/web", None),
            ("acme/", None),
            ("acme/web/api", None),
            ("", None),
            ("web app", None),
            ("wéb", None),
            ("https://github.com/acme/web", None),
        ] {
            let context = of_pod(&[("repository", text)]);
            assert_eq!(context.repository.as_deref(), repository, "{text:?}");
            let expected = match repository {
                Some(_) => vec![],
                None => vec![(Reason::InvalidRepository, text)],
            };
            assert_eq!(gaps(&context), expected, "{text:?}");
        }
        assert_eq!(of_pod(&[("repository", &"r".repeat(100))]).gaps, []);
        assert_eq!(of_pod(&[("repository", &"r".repeat(101))]).repository, None);
    }

    #[test]
    fn the_owner_of_a_repository_is_not_compared_with_an_unknown_organization() {
        let pod = annotations(&[("repository", "other/web")]);
        let context = Context::merge(None, None, Some(&pod), "");
        assert_eq!(context.repository.as_deref(), Some("web"));
        assert_eq!(context.gaps, []);
    }

    const RULES: [&str; 3] = ["ghcr.io/acme/(.*)=$1", "ghcr.io/.*=other", ".*/odd=$0"];

    /// What comes of an annotation on one object, if there is one, and of the rules for an image.
    fn found(
        annotation: Option<(Level, &str)>,
        image: &str,
    ) -> (Option<String>, Origin, Option<String>) {
        let set = annotation.map(|(_, value)| annotations(&[("repository", value)]));
        let at = |other| {
            let (level, _) = annotation?;
            set.as_ref().filter(|_| level == other)
        };
        let (namespace, workload) = (at(Level::Namespace), at(Level::Workload));
        let mut context = Context::merge(namespace, workload, at(Level::Pod), "acme");
        context.map_repository(image, &RegexMap::parse(RULES, is_repository).unwrap());
        let gap = gaps(&context).into_iter().map(|(reason, detail)| {
            assert_eq!(reason, Reason::InvalidRepository);
            detail.to_owned()
        });
        let gap = gap.reduce(|_, last| last);
        (
            context.repository.as_deref().map(Into::into),
            context.origin,
            gap,
        )
    }

    #[test]
    fn where_the_repository_comes_from_is_known_and_an_annotation_goes_before_every_rule() {
        let rule = |number: usize| Origin::Rule(RULES[number].into());
        let on = Origin::Annotation;
        let (namespace, workload, pod) = (Level::Namespace, Level::Workload, Level::Pod);
        let web = "ghcr.io/acme/web";
        for (annotation, image, repository, origin, gap) in [
            (None, web, Some("web"), rule(0), None),
            (None, "ghcr.io/b/web", Some("other"), rule(1), None),
            (None, "docker.io/library/web", None, Origin::Nothing, None),
            // What a rule makes of a name is judged like anything else.
            (None, "ghcr.io/acme/a/b", None, rule(0), Some("a/b")),
            (
                Some((namespace, "shop")),
                web,
                Some("shop"),
                on(namespace),
                None,
            ),
            (
                Some((workload, "acme/shop")),
                web,
                Some("shop"),
                on(workload),
                None,
            ),
            // A person named another one; the rule's would be a guess.
            (
                Some((pod, "other/shop")),
                web,
                None,
                on(pod),
                Some("other/shop"),
            ),
            (Some((pod, "")), web, None, on(pod), Some("")),
        ] {
            let expected = (repository.map(Into::into), origin, gap.map(Into::into));
            assert_eq!(found(annotation, image), expected, "{annotation:?} {image}");
        }
    }

    #[test]
    fn an_unknown_risk_is_dropped_and_the_others_stay() {
        let context = of_pod(&[(
            "runtime-risks",
            "lateral-movement,, cats ,critical-resource,",
        )]);
        assert_eq!(
            context.risks,
            [Risk::LateralMovement, Risk::CriticalResource].into()
        );
        assert_eq!(gaps(&context), [(Reason::InvalidRisk, "cats")]);
        assert_eq!(of_pod(&[("runtime-risks", "")]), Context::default());
    }

    #[test]
    fn what_is_wrong_in_two_places_is_one_gap_and_gaps_have_an_order() {
        let wrong = annotations(&[("runtime-risks", "dogs,cats"), ("team", "")]);
        let context = Context::merge(Some(&wrong), Some(&wrong), Some(&wrong), "acme");
        let expected = [
            (Reason::InvalidTag, "team"),
            (Reason::InvalidRisk, "cats"),
            (Reason::InvalidRisk, "dogs"),
        ];
        assert_eq!(gaps(&context), expected);
    }

    #[test]
    fn the_first_five_valid_tags_by_key_stay() {
        let long = "é".repeat(101);
        let context = of_pod(&[
            ("g", "7"),
            ("a", "1"),
            ("c", ""),
            ("b", "2"),
            ("f", "6"),
            ("e", "5"),
            ("d", "4"),
            ("long", &long),
            ("h", &"é".repeat(100)),
        ]);
        let expected = [("a", "1"), ("b", "2"), ("d", "4"), ("e", "5"), ("f", "6")];
        assert_eq!(context.tags, annotations(&expected));
        assert_eq!(
            gaps(&context),
            [
                (Reason::InvalidTag, "c"),
                (Reason::InvalidTag, "long"),
                (Reason::TooManyTags, "g, h"),
            ]
        );
    }

    #[test]
    fn a_gap_never_carries_a_whole_huge_value() {
        let context = of_pod(&[("runtime-risks", &"é".repeat(10_000))]);
        let [(Reason::InvalidRisk, detail)] = &*context.gaps else {
            panic!("{context:?}")
        };
        assert_eq!(detail.chars().count(), 101);
    }

    fn some_annotations() -> impl Strategy<Value = Option<Annotations>> {
        let key = prop_oneof!["[a-d]{0,2}", Just(RISKS.into()), Just(REPOSITORY.into())];
        let value = prop_oneof![
            ".{0,3}",
            "(acme/)?[a-z]{1,3}",
            "internet-exposed(, ?[a-z]*){0,2}"
        ];
        let pairs = btree_map(key.prop_map(Arc::from), value.prop_map(Arc::from), 0..12);
        proptest::option::of(pairs.prop_map(TextMap::from_iter))
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_the_api_takes(
            namespace in some_annotations(), workload in some_annotations(), pod in some_annotations(),
        ) {
            let context =
                Context::merge(namespace.as_ref(), workload.as_ref(), pod.as_ref(), "acme");
            prop_assert!(context.tags.len() <= 5);
            for text in context.tags.iter().flat_map(|(key, value)| [key, value]) {
                prop_assert!((1..=100).contains(&text.chars().count()));
            }
            prop_assert!(context.repository.as_deref().is_none_or(is_repository));
            for (key, value) in pod.iter().flat_map(TextMap::iter) {
                let own = context.tags.get(key);
                prop_assert!(own.is_none_or(|kept| kept == value), "{key} is the pod's");
            }
        }
    }
}
