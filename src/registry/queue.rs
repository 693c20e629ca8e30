//! The queue of look-ups: which is next, how often a registry is asked, how long it is left alone after
//! a failure. Nothing here asks anybody.

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
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    jobs: BTreeMap<Digest, Job>,
    registries: BTreeMap<Arc<str>, Registry>,
}

#[derive(Debug)]
struct Job {
    /// The next one first.
    places: VecDeque<(Place, Arc<str>)>,
    tries: u32,
    due: Instant,
    under_way: bool,
    /// Whether it is still wanted.
    wanted: bool,
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
            let job = self.jobs.entry(*digest).or_insert_with(|| Job {
                places: VecDeque::new(),
                tries: 0,
                due: now,
                under_way: false,
                wanted: true,
            });
            job.ask_at(places, now);
        }
        let jobs = self.jobs.values();
        let named: BTreeSet<&Arc<str>> = jobs
            .flat_map(|job| &job.places)
            .map(|(_, registry)| registry)
            .collect();
        self.registries.retain(|name, registry| {
            registry.under_way || registry.free_at > now || named.contains(name)
        });
    }

    /// The look-up that begins now, if one may.
    pub(super) fn next(&mut self, now: Instant) -> Option<LookUp> {
        let ready = self
            .jobs
            .iter()
            .filter(|(_, job)| !job.under_way && job.due <= now);
        let ready = ready.filter_map(|(digest, job)| Some((job.due, digest, job.place()?)));
        let may_begin = |registry: &Arc<str>| {
            let known = self.registries.get(registry);
            known.is_none_or(|it| !it.under_way && it.free_at <= now)
        };
        let (_, digest, (place, registry)) = ready
            .filter(|(_, _, (_, registry))| may_begin(registry))
            .min_by_key(|(due, digest, _)| (*due, **digest))?;
        let next = LookUp {
            digest: *digest,
            place: place.clone(),
            registry: registry.clone(),
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
        let waiting = self.jobs.values().filter(|job| !job.under_way);
        let at = |job: &Job| {
            let (_, registry) = job.place()?;
            match self.registries.get(registry) {
                // Its end tells.
                Some(registry) if registry.under_way => None,
                Some(registry) => Some(registry.free_at.max(job.due)),
                None => Some(job.due),
            }
        };
        waiting.filter_map(at).min()
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
        let free_at = registry.free_at;
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
        match setback {
            // Nothing is known of this image.
            Setback::Limited(_) => job.due = free_at,
            Setback::OfRegistry | Setback::OfImage => {
                // All places have their turn before the pauses grow.
                let places = u32::try_from(job.places.len()).unwrap_or(MOST_BEFORE_GROWTH);
                let rounds = job.tries / places.clamp(1, MOST_BEFORE_GROWTH);
                job.due = now + doubled(FIRST_RETRY, rounds, MOST_RETRY);
                job.tries = job.tries.saturating_add(1);
                job.pass(&look_up.place);
            }
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
    /// The image is in these places. One that is new is asked next: there is somebody else to ask, or
    /// there are other secrets to ask with. The others keep their turns, whoever comes and goes.
    fn ask_at(&mut self, places: &BTreeSet<Place>, now: Instant) {
        self.places.retain(|(place, _)| places.contains(place));
        let known: BTreeSet<&Place> = self.places.iter().map(|(place, _)| place).collect();
        let new = places.iter().filter(|place| !known.contains(place));
        let new: Vec<_> = new
            .map(|place| (place.clone(), registry(&place.image)))
            .collect();
        if !new.is_empty() {
            self.due = self.due.min(now);
            self.tries = 0;
        }
        for place in new.into_iter().rev() {
            self.places.push_front(place);
        }
    }

    /// Where the image is asked for this time.
    fn place(&self) -> Option<&(Place, Arc<str>)> {
        self.places.front()
    }

    /// It was asked for there: every other place has its turn before.
    fn pass(&mut self, asked: &Place) {
        let at = self.places.iter().position(|(place, _)| place == asked);
        let passed = at.and_then(|at| self.places.remove(at));
        self.places.extend(passed);
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
