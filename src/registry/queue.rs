//! The queue of look-ups: which is next, how often a registry is asked, how long it is left alone after
//! a failure. Nothing here asks anybody.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::image::{Digest, ImageRef};
use crate::model::origin::{Place, Unread};

/// From the beginning of a look-up at a registry to that of the next: two a second at most.
const SPACING: Duration = Duration::from_millis(500);

/// How long a registry that does not answer is left alone, at first.
const FIRST_PAUSE: Duration = Duration::from_secs(10);

/// How long it is left alone at most.
const MOST_PAUSE: Duration = Duration::from_mins(10);

/// How long nothing is asked about an image again whose label could not be read, at first.
const FIRST_RETRY: Duration = Duration::from_mins(1);

/// How long at most.
const MOST_RETRY: Duration = Duration::from_hours(24);

/// How long a registry is left alone that asks for it without saying how long, and at most.
const LIMITED: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(6));

/// After so many failures for one image the pauses grow, although not all of its places had their turn.
const MOST_BEFORE_GROWTH: u32 = 64;

/// What a failed look-up means for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setback {
    /// The registry does not answer as a registry does.
    OfRegistry,
    /// The registry wants to be left alone, for so long if it says that.
    Limited(Option<Duration>),
    /// This image cannot be read here.
    OfImage,
}

/// A look-up that may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LookUp {
    /// The image.
    pub(super) digest: Digest,
    /// Where it is asked for.
    pub(super) place: Place,
    /// The registry, as the image's name has it.
    pub(super) registry: Arc<str>,
    /// Whether it is the turn of the image, or that of a place that is new and was not waited with.
    in_turn: bool,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    jobs: BTreeMap<Digest, Job>,
    registries: BTreeMap<Arc<str>, Registry>,
}

#[derive(Debug)]
struct Job {
    /// The next one first.
    places: VecDeque<Asked>,
    tries: u32,
    /// When the next of its places has its turn.
    due: Instant,
    under_way: bool,
    /// Whether it is still wanted.
    wanted: bool,
}

/// A place where an image is asked for.
#[derive(Debug)]
struct Asked {
    place: Place,
    registry: Arc<str>,
    /// Since when it is there, if the others had turns by then: it does not wait for its own, and takes
    /// none from them, however many come.
    new: Option<Instant>,
}

#[derive(Debug)]
struct Registry {
    free_at: Instant,
    failures: u32,
    under_way: bool,
}

impl Queue {
    /// These are wanted now, and nothing else is.
    pub(super) fn want(&mut self, unread: &Unread, now: Instant) {
        self.jobs.retain(|digest, job| {
            job.wanted = unread.contains_key(digest);
            job.wanted || job.under_way
        });
        for (digest, places) in unread {
            match self.jobs.entry(*digest) {
                Entry::Vacant(vacant) => {
                    vacant.insert(Job::new(places, now));
                }
                Entry::Occupied(known) => known.into_mut().ask_at(places, now),
            }
        }
        let jobs = self.jobs.values();
        let named: BTreeSet<&Arc<str>> = jobs
            .flat_map(|job| &job.places)
            .map(|asked| &asked.registry)
            .collect();
        self.registries.retain(|name, registry| {
            registry.under_way || registry.free_at > now || named.contains(name)
        });
    }

    /// The look-up that begins now, if one may.
    pub(super) fn next(&mut self, now: Instant) -> Option<LookUp> {
        let ready = self.waiting().filter(|(due, ..)| *due <= now);
        let may_begin = |registry: &Arc<str>| {
            let known = self.registries.get(registry);
            known.is_none_or(|it| !it.under_way && it.free_at <= now)
        };
        // Of those of one image the first.
        let (due, digest, asked) = ready
            .filter(|(_, _, asked)| may_begin(&asked.registry))
            .min_by_key(|(due, digest, _)| (*due, **digest))?;
        let next = LookUp {
            digest: *digest,
            place: asked.place.clone(),
            registry: asked.registry.clone(),
            in_turn: asked.new != Some(due),
        };
        if let Some(job) = self.jobs.get_mut(&next.digest) {
            job.under_way = true;
        }
        let registry = self.registry(&next.registry, now);
        registry.under_way = true;
        registry.free_at = now + SPACING;
        Some(next)
    }

    /// When the next look-up may begin, if nothing changes.
    pub(super) fn due(&self) -> Option<Instant> {
        let at = |(due, _, asked): (Instant, _, &Asked)| match self.registries.get(&asked.registry)
        {
            // Its end tells.
            Some(registry) if registry.under_way => None,
            Some(registry) => Some(registry.free_at.max(due)),
            None => Some(due),
        };
        self.waiting().filter_map(at).min()
    }

    /// Every place where an image that nobody asks for just now may be asked for, and since when it may.
    /// One whose registry is left alone holds back no other.
    fn waiting(&self) -> impl Iterator<Item = (Instant, &Digest, &Asked)> {
        let waiting = self.jobs.iter().filter(|(_, job)| !job.under_way);
        waiting.flat_map(|(digest, job)| {
            let due = |asked: &Asked| asked.new.map_or(job.due, |new| new.min(job.due));
            job.places.iter().map(move |it| (due(it), digest, it))
        })
    }

    /// A look-up came to its end.
    pub(super) fn ended(&mut self, look_up: &LookUp, setback: Option<Setback>, now: Instant) {
        let registry = self.registry(&look_up.registry, now);
        registry.under_way = false;
        match setback {
            None | Some(Setback::OfImage) => registry.failures = 0,
            Some(Setback::OfRegistry) => {
                let pause = doubled(FIRST_PAUSE, registry.failures, MOST_PAUSE);
                registry.failures += 1;
                registry.free_at = now + pause;
            }
            Some(Setback::Limited(pause)) => {
                let (usual, most) = LIMITED;
                registry.free_at = now + pause.unwrap_or(usual).clamp(SPACING, most);
            }
        }
        let Some(setback) = setback else {
            self.jobs.remove(&look_up.digest);
            return;
        };
        let Some(job) = self.jobs.get_mut(&look_up.digest) else {
            return;
        };
        job.under_way = false;
        if !job.wanted {
            self.jobs.remove(&look_up.digest);
            return;
        }
        job.pass(&look_up.place, setback, now);
        let due = match setback {
            // Nothing is known of this image: the next place has the turn. The registry is held back by itself.
            Setback::Limited(_) => now,
            Setback::OfRegistry | Setback::OfImage => now + job.pause(),
        };
        if look_up.in_turn {
            job.due = due;
        } else if !matches!(setback, Setback::Limited(_)) {
            job.due = job.due.min(due);
        }
    }

    fn registry(&mut self, name: &Arc<str>, now: Instant) -> &mut Registry {
        self.registries.entry(name.clone()).or_insert(Registry {
            free_at: now,
            failures: 0,
            under_way: false,
        })
    }
}

impl Job {
    /// One that is wanted from now on, in these places, of which each has its turn.
    fn new(places: &BTreeSet<Place>, now: Instant) -> Self {
        let places = places.iter().map(|place| Asked::new(place, None));
        Self {
            places: places.collect(),
            tries: 0,
            due: now,
            under_way: false,
            wanted: true,
        }
    }

    /// The image is in these places. One that is new is asked at once: there is somebody else to ask, or
    /// there are other secrets to ask with. The others keep their turns, whoever comes and goes.
    fn ask_at(&mut self, places: &BTreeSet<Place>, now: Instant) {
        self.places.retain(|asked| places.contains(&asked.place));
        let known: BTreeSet<&Place> = self.places.iter().map(|asked| &asked.place).collect();
        let new = places.iter().filter(|place| !known.contains(place));
        let new: Vec<_> = new.map(|place| Asked::new(place, Some(now))).collect();
        if !new.is_empty() {
            self.tries = 0;
        }
        self.places.extend(new);
    }

    /// It was asked for there: every other place has its turn before. If the registry did not look at all,
    /// one that was new is so from now on.
    fn pass(&mut self, place: &Place, setback: Setback, now: Instant) {
        let at = self.places.iter().position(|asked| asked.place == *place);
        if let Some(mut asked) = at.and_then(|at| self.places.remove(at)) {
            let looked = !matches!(setback, Setback::Limited(_));
            asked.new = asked.new.filter(|_| !looked).map(|_| now);
            self.places.push_back(asked);
        }
    }

    /// How long nothing is asked about it after one more failure. All places have their turn before the
    /// pauses grow.
    fn pause(&mut self) -> Duration {
        let places = u32::try_from(self.places.len()).unwrap_or(MOST_BEFORE_GROWTH);
        let rounds = self.tries / places.clamp(1, MOST_BEFORE_GROWTH);
        self.tries = self.tries.saturating_add(1);
        doubled(FIRST_RETRY, rounds, MOST_RETRY)
    }
}

impl Asked {
    fn new(place: &Place, new: Option<Instant>) -> Self {
        Self {
            place: place.clone(),
            registry: registry(&place.image),
            new,
        }
    }
}

/// The registry that an image's name begins with.
pub(super) fn registry(image: &str) -> Arc<str> {
    let image = ImageRef::parse(image);
    let registry = image
        .as_ref()
        .and_then(|image| image.name.split('/').next());
    registry.unwrap_or_default().into()
}

/// `first`, doubled so many times, and never more than `most`.
fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::digest;

    const SECOND: Duration = Duration::from_secs(1);

    fn place(image: &str) -> Place {
        Place {
            image: image.into(),
            account: None,
        }
    }

    fn unread(images: &[(u64, &str)]) -> Unread {
        let mut unread = Unread::new();
        for (number, image) in images {
            unread
                .entry(digest(*number))
                .or_default()
                .insert(place(image));
        }
        unread
    }

    #[test]
    fn a_registry_is_asked_one_thing_at_a_time_and_twice_a_second_and_others_beside_it() {
        let start = Instant::now();
        let mut queue = Queue::default();
        let images = [
            (1, "a.test/x"),
            (2, "a.test/y"),
            (3, "b.test/x"),
            (4, "a.test/z"),
        ];
        queue.want(&unread(&images), start);
        let first = queue.next(start).unwrap();
        assert_eq!((first.digest, &*first.registry), (digest(1), "a.test"));
        let other = queue.next(start).unwrap();
        assert_eq!((other.digest, &*other.registry), (digest(3), "b.test"));
        assert_eq!(queue.next(start), None);
        assert_eq!(queue.due(), None, "whoever is asked tells when it is over");
        queue.ended(&first, None, start + SECOND / 10);
        assert_eq!(queue.next(start + SECOND / 10), None);
        assert_eq!(queue.due(), Some(start + SECOND / 2));
        let second = queue.next(start + SECOND / 2).unwrap();
        assert_eq!(second.digest, digest(2));
        // Asked once more before it is over, and not wanted any more.
        queue.want(&unread(&images[1..3]), start + SECOND / 2);
        queue.ended(&second, None, start + 9 * SECOND);
        assert_eq!(queue.next(start + 9 * SECOND), None);
        queue.ended(&other, None, start + 9 * SECOND);
        assert_eq!(queue.due(), None);
        queue.want(&Unread::new(), start + 9 * SECOND);
        assert!(queue.jobs.is_empty() && queue.registries.is_empty());
    }

    #[test]
    fn a_registry_that_fails_is_left_alone_for_longer_each_time_and_others_are_not() {
        let mut now = Instant::now();
        let mut queue = Queue::default();
        let many: Vec<(u64, &str)> = (1..40).map(|number| (number, "a.test/x")).collect();
        queue.want(&unread(&many), now);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let look_up = queue.next(now).unwrap();
            queue.ended(&look_up, Some(Setback::OfRegistry), now);
            let due = queue.due().unwrap();
            pauses.push(due.duration_since(now).as_secs());
            queue.want(
                &unread(&[many.clone(), vec![(99, "b.test/x")]].concat()),
                now,
            );
            let other = queue.next(now).unwrap();
            assert_eq!(&*other.registry, "b.test");
            queue.ended(&other, None, now);
            now = due;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
        let look_up = queue.next(now).unwrap();
        queue.ended(&look_up, None, now);
        assert_eq!(queue.due(), Some(now + SECOND / 2), "it answers again");
    }

    #[test]
    fn a_registry_that_asks_for_a_pause_gets_it_and_the_image_is_not_to_blame() {
        let start = Instant::now();
        let mut queue = Queue::default();
        queue.want(&unread(&[(1, "a.test/x")]), start);
        for (asked, given) in [
            (Some(7), 7),
            (None, 60),
            (Some(1_000_000), 6 * 3600),
            (Some(9), 9),
        ] {
            let now = queue.due().unwrap();
            let look_up = queue.next(now).unwrap();
            let asked = asked.map(Duration::from_secs);
            queue.ended(&look_up, Some(Setback::Limited(asked)), now);
            assert_eq!(queue.due(), Some(now + given * SECOND));
        }
    }

    #[test]
    fn a_registry_that_asks_for_a_pause_keeps_no_other_place_of_the_image_waiting() {
        let start = Instant::now();
        let mut queue = Queue::default();
        let images = [
            (1, "a.test/x"),
            (1, "b.test/x"),
            (2, "a.test/y"),
            (2, "c.test/y"),
        ];
        queue.want(&unread(&images), start);
        let ask = |queue: &mut Queue, setback, now| {
            let look_up = queue.next(now).unwrap();
            queue.ended(&look_up, Some(setback), now);
            (look_up.digest, look_up.registry.to_string())
        };
        let limited = Setback::Limited(Some(3 * 3600 * SECOND));
        let first = ask(&mut queue, limited, start);
        assert_eq!(first, (digest(1), "a.test".to_owned()));
        assert_eq!(queue.due(), Some(start));
        let mut others = [0, 1].map(|_| ask(&mut queue, Setback::OfImage, start));
        others.sort();
        let mut expected =
            [(1, "b.test"), (2, "c.test")].map(|(number, at)| (digest(number), at.to_owned()));
        expected.sort();
        assert_eq!(others, expected);
        // The next turn is theirs again, until the other registry may be asked.
        assert_eq!(queue.due(), Some(start + 60 * SECOND));
        let again = ask(&mut queue, Setback::OfImage, start + 60 * SECOND).1;
        assert!(["b.test", "c.test"].contains(&&*again), "{again}");
        let later = start + 3 * 3600 * SECOND;
        assert_eq!(ask(&mut queue, Setback::OfImage, later).1, "a.test");
    }

    /// Asks for one image every ten seconds whatever may be asked, while `comes` tells which place is new.
    /// What is asked fails, at `limits` for want of a pause. Returns what was asked when.
    fn asked(
        mut comes: impl FnMut(u64) -> Option<String>,
        limits: &str,
        until: u64,
    ) -> Vec<(u64, String)> {
        let start = Instant::now();
        let mut queue = Queue::default();
        let mut names = vec!["a.test/x".to_owned(), "b.test/x".to_owned()];
        let mut asked = Vec::new();
        for second in (0..until).step_by(10) {
            names.extend(comes(second));
            let images: Vec<(u64, &str)> = names.iter().map(|name| (1, &**name)).collect();
            let now = start + Duration::from_secs(second);
            queue.want(&unread(&images), now);
            if let Some(look_up) = queue.next(now) {
                asked.push((second, look_up.registry.to_string()));
                let setback = if look_up.registry.contains(limits) {
                    Setback::Limited(Some(Duration::ZERO))
                } else {
                    Setback::OfImage
                };
                // Whoever is asked takes all the time until the next.
                queue.ended(&look_up, Some(setback), now + 9 * SECOND);
            }
        }
        asked
    }

    #[test]
    fn places_that_come_faster_than_turns_are_asked_at_once_and_take_no_turn_from_others() {
        let comes = |second| (second > 0 && second % 20 == 10).then(|| format!("n{second}.test/x"));
        let asked = asked(comes, "nobody", 400);
        for second in (10..400).step_by(20) {
            let new = asked
                .iter()
                .find(|(_, at)| *at == format!("n{second}.test"));
            let (when, _) = new.unwrap();
            assert!((second..=second + 10).contains(when), "{second}: {when}");
        }
        let old = asked.iter().filter(|(_, at)| !at.starts_with('n'));
        let old: Vec<_> = old.map(|(when, at)| (*when, &**at)).collect();
        assert_eq!(old[..3], [(0, "a.test"), (70, "b.test"), (140, "a.test")]);
    }

    #[test]
    fn new_places_that_always_ask_for_a_pause_take_no_turn_from_others() {
        let comes = |second| {
            (10..60)
                .contains(&second)
                .then(|| format!("l{second}.test/x"))
        };
        let asked = asked(comes, "l", 600);
        let old = asked.iter().filter(|(_, at)| !at.starts_with('l'));
        let old: Vec<&str> = old.map(|(_, at)| &**at).collect();
        assert!(old.len() >= 4, "{asked:?}");
        assert!(
            old.contains(&"a.test") && old.contains(&"b.test"),
            "{asked:?}"
        );
    }

    #[test]
    fn a_new_place_that_is_asked_for_a_pause_is_asked_again_after_it_however_late_the_next_turn() {
        let mut now = Instant::now();
        let mut queue = Queue::default();
        queue.want(&unread(&[(1, "a.test/x")]), now);
        for _ in 0..12 {
            let look_up = queue.next(now).unwrap();
            queue.ended(&look_up, Some(Setback::OfImage), now);
            now = queue.due().unwrap();
        }
        let look_up = queue.next(now).unwrap();
        queue.ended(&look_up, Some(Setback::OfImage), now);
        queue.want(&unread(&[(1, "a.test/x"), (1, "b.test/x")]), now);
        let look_up = queue.next(now).unwrap();
        assert_eq!(&*look_up.registry, "b.test");
        queue.ended(&look_up, Some(Setback::Limited(Some(7 * SECOND))), now);
        assert_eq!(queue.due(), Some(now + 7 * SECOND));
        let look_up = queue.next(now + 7 * SECOND).unwrap();
        assert_eq!(&*look_up.registry, "b.test");
        // There is somebody else to ask, so the old one is asked again soon too.
        queue.ended(&look_up, Some(Setback::OfImage), now + 7 * SECOND);
        assert_eq!(queue.due(), Some(now + 67 * SECOND));
    }

    #[test]
    fn an_image_that_cannot_be_read_is_asked_for_elsewhere_and_then_at_growing_pauses() {
        let mut now = Instant::now();
        let mut queue = Queue::default();
        let wanted = unread(&[(1, "a.test/x"), (1, "b.test/x")]);
        queue.want(&wanted, now);
        let (mut asked, mut pauses) = (Vec::new(), Vec::new());
        for _ in 0..8 {
            let look_up = queue.next(now).unwrap();
            asked.push(look_up.registry.to_string());
            queue.ended(&look_up, Some(Setback::OfImage), now);
            // Whoever wants it again changes nothing.
            queue.want(&wanted, now);
            let due = queue.due().unwrap();
            pauses.push(due.duration_since(now).as_secs() / 60);
            now = due;
        }
        assert_eq!(asked[..4], ["a.test", "b.test", "a.test", "b.test"]);
        assert_eq!(pauses, [1, 1, 2, 2, 4, 4, 8, 8]);
        // There is another place: it is asked at once.
        queue.want(&unread(&[(1, "c.test/x")]), now);
        assert_eq!(&*queue.next(now).unwrap().registry, "c.test");
        assert_eq!(doubled(FIRST_RETRY, 99, MOST_RETRY), MOST_RETRY);
    }

    #[test]
    fn every_place_has_its_turn_however_many_there_are_and_whoever_comes_and_goes() {
        let mut now = Instant::now();
        let mut queue = Queue::default();
        let names: Vec<String> = (10..90).map(|number| format!("r{number}.test/x")).collect();
        let wanted = |without: usize| {
            let left = names.iter().enumerate().filter(|(at, _)| *at != without);
            let images: Vec<(u64, &str)> = left.map(|(_, name)| (1, &**name)).collect();
            unread(&images)
        };
        queue.want(&wanted(99), now);
        let mut asked = BTreeSet::new();
        for turn in 0..80 {
            let look_up = queue.next(now).unwrap();
            asked.insert(look_up.registry.to_string());
            // The first of them goes and comes while others have their turn.
            queue.want(&wanted(if turn % 2 == 0 { 0 } else { 99 }), now);
            queue.ended(&look_up, Some(Setback::OfImage), now);
            now = queue.due().unwrap();
        }
        // Each time it comes it is asked again, and the turns go on behind it.
        assert!(asked.len() > 35, "{}", asked.len());

        let mut queue = Queue::default();
        queue.want(&wanted(99), now);
        let (mut asked, mut pauses) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..80 {
            let look_up = queue.next(now).unwrap();
            asked.insert(look_up.registry.to_string());
            queue.ended(&look_up, Some(Setback::OfImage), now);
            queue.want(&wanted(99), now);
            let due = queue.due().unwrap();
            pauses.insert(due.duration_since(now).as_secs() / 60);
            now = due;
        }
        assert_eq!(asked.len(), 80);
        assert_eq!(Vec::from_iter(pauses), [1, 2]);
    }
}
