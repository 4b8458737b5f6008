//! Random things happen to files, and a tailer reads them.

use observatory::input::tail::{Cut, Limits, Tailer, Taken};

use super::model::{Content, Model, Name};
use super::world::World;

const LINE_MAX: usize = 64;
const LIVE: [&str; 3] = ["app.log", "app.b.log", "app.link"];
const ROTATED: [&str; 5] = ["app.log.1", "app.log.2", "app.b.log.1", "old.1", "old.2"];
const TARGETS: [&str; 2] = ["real.a", "real.b"];

/// What is random, by a seed (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed of other dice.
    pub(super) fn seed(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn throw(&mut self, sides: usize) -> usize {
        (self.seed() % sides as u64) as usize
    }

    fn one_of<'a>(&mut self, names: &[&'a str]) -> &'a str {
        names[self.throw(names.len())]
    }
}

pub(super) struct Play<W: World> {
    world: W,
    model: Model,
    dice: Dice,
    tailer: Tailer<W::Disk, u64>,
    limits: Limits,
    from_beginning: bool,
    /// As a journal has them.
    positions: Vec<(String, String)>,
    now_us: u64,
    /// A writer that holds a file open, whatever becomes of its name.
    held: Option<(W::Writer, usize)>,
    /// The tailer has looked before.
    looked: bool,
    /// Whether permissions can be taken.
    permits: bool,
    pub(super) told: Vec<String>,
}

fn limits(open: usize) -> Limits {
    Limits { line: LINE_MAX, block: 50, events: 3, bytes: 200, files: 100, open }
}

impl<W: World> Play<W> {
    pub(super) fn new(world: W, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let from_beginning = dice.throw(2) == 0;
        let few = dice.throw(4) == 0;
        let limits = limits(if few { 2 } else { 100 });
        let tailer = Tailer::new(world.disk(), limits, from_beginning, &[]);
        let (model, positions, told) = (Model { few, ..Model::default() }, Vec::new(), Vec::new());
        let mut play = Self {
            world,
            model,
            dice,
            tailer,
            limits,
            from_beginning,
            positions,
            now_us: 1,
            held: None,
            looked: false,
            permits: true,
            told,
        };
        for _ in 0..play.dice.throw(4) {
            play.append();
        }
        play
    }

    /// These things happen, each by a seed of its own; then all that can be read is read.
    pub(super) fn run(&mut self, actions: &[u64]) -> Result<(), String> {
        for action in actions {
            self.dice = Dice(*action);
            self.now_us += 10_000;
            self.act()?;
            self.model.happened();
        }
        self.told.push("the end".to_owned());
        for name in self.model.names.keys().cloned().collect::<Vec<_>>() {
            self.permit(&name, true);
        }
        for _ in 0..4 {
            self.poll()?;
            self.now_us += 6_000_000;
        }
        self.model.check()?;
        Ok(())
    }

    fn act(&mut self) -> Result<(), String> {
        match self.dice.throw(32) {
            0..=7 => self.append(),
            8 => self.begin_or_end(),
            9..=10 => self.rotate(),
            11 => self.remove(),
            12..=13 => self.copy_and_truncate(),
            14 => self.truncate_and_refill(),
            15 => self.retarget(),
            16..=17 => self.hold(),
            18 => {
                let name = self.dice.one_of(&LIVE);
                let readable = self.dice.throw(2) == 0;
                self.permit(name, readable);
            }
            19 => self.restart(),
            20 => {
                self.told.push("rest".to_owned());
                self.poll()?;
                self.now_us += 70_000_000;
                self.poll()?;
                self.model.rested();
            }
            21 => {
                let name = self.dice.one_of(&LIVE);
                self.told.push(format!("a long line goes to {name}"));
                let text = format!("{}{}\n", self.dice.seed(), "x".repeat(LINE_MAX + self.dice.throw(200)));
                self.write(name, &text);
            }
            22..=25 => {
                self.told.push("peek".to_owned());
                self.look();
                self.gather()?;
            }
            _ => self.poll()?,
        }
        Ok(())
    }

    fn text(line: u64, dice: &mut Dice) -> String {
        format!("{line:06}:{}#", "é".repeat(dice.throw(24)))
    }

    fn write(&mut self, name: &str, text: &str) {
        let mut writer = self.world.open(&self.world.path(name));
        self.world.write(&mut writer, text.as_bytes());
        let file = self.model.create(name);
        self.end_begun(file);
    }

    /// Whoever writes on ends the line that another has begun: then it is none.
    fn end_begun(&mut self, file: usize) {
        if let Some(line) = self.model.files[file].begun.take() {
            self.model.excused.insert(line);
            self.model.truncated.insert(line);
        }
    }

    fn append(&mut self) {
        let name = self.dice.one_of(&LIVE);
        self.append_to(name);
    }

    fn append_to(&mut self, name: &str) {
        if !self.model.names.contains_key(name) && name == "app.link" {
            return self.retarget();
        }
        self.write(name, "\n");
        for _ in 0..=self.dice.throw(3) {
            let line = self.model.line();
            let text = Self::text(line, &mut self.dice) + "\n";
            self.write(name, &text);
            let file = self.model.create(name);
            self.model.files[file].lines.push(line);
            self.told.push(format!("append {line} to {name}"));
        }
    }

    /// Half a line, and later its other half.
    fn begin_or_end(&mut self) {
        let name = self.dice.one_of(&LIVE[..2]);
        let file = self.model.create(name);
        let line = self.model.files[file].begun.take();
        match line {
            None => {
                let line = self.model.line();
                self.write(name, &format!("\n{line:06}:"));
                self.model.files[file].begun = Some(line);
                self.told.push(format!("begin {line} in {name}"));
            }
            Some(line) => {
                self.write(name, "yy#\n");
                self.model.files[file].lines.push(line);
                self.told.push(format!("end {line} in {name}"));
            }
        }
    }

    fn rotate(&mut self) {
        let (from, to) = (self.dice.one_of(&LIVE[..2]), self.dice.one_of(&ROTATED));
        if let Some(entry) = self.model.names.remove(from) {
            self.told.push(format!("rename {from} to {to}"));
            self.world.rename(&self.world.path(from), &self.world.path(to));
            self.model.names.insert(to.to_owned(), entry);
        }
    }

    fn remove(&mut self) {
        let name = if self.dice.throw(2) == 0 { self.dice.one_of(&LIVE[..2]) } else { self.dice.one_of(&ROTATED) };
        if self.model.names.remove(name).is_some() {
            self.told.push(format!("remove {name}"));
            self.world.remove(&self.world.path(name));
            if self.dice.throw(2) == 0 {
                self.append_to(name);
            }
        }
    }

    fn copy_and_truncate(&mut self) {
        let (from, to) = (self.dice.one_of(&LIVE[..2]), self.dice.one_of(&ROTATED));
        let Some(file) = self.model.resolve(from) else { return };
        let begun = self.model.files[file].begun;
        let lines = self.model.files[file].lines.clone();
        self.told.push(format!("copy {from} to {to}: {lines:?}"));
        // What is copied over has ended, as if it had been removed.
        if self.model.names.remove(to).is_some() {
            self.world.remove(&self.world.path(to));
        }
        let text = self.contents(from);
        let mut writer = self.world.open(&self.world.path(to));
        self.world.write(&mut writer, &text);
        self.model.names.insert(to.to_owned(), Name::File(self.model.files.len()));
        self.model.files.push(Content { lines, begun, ..Content::default() });
        if self.dice.throw(3) == 0 {
            self.append_to(from);
        }
        self.truncate(from, Some(to));
    }

    /// All that a file holds.
    fn contents(&mut self, name: &str) -> Vec<u8> {
        use observatory::input::tail::{Disk, Opened};
        let path = self.world.path(name);
        let file = self.model.resolve(name).unwrap();
        let unreadable = self.model.files[file].unreadable;
        self.world.permit(&path, true);
        let opened = self.world.disk().open(&path).unwrap();
        let mut bytes = vec![0; opened.look().unwrap().size as usize];
        assert_eq!(opened.read_at(&mut bytes, 0).unwrap(), bytes.len());
        drop(opened);
        self.world.permit(&path, !unreadable);
        bytes
    }

    fn truncate(&mut self, name: &str, copy: Option<&str>) {
        let Some(file) = self.model.resolve(name) else { return };
        self.told.push(format!("truncate {name}"));
        self.world.truncate(&self.world.path(name));
        self.model.truncate(file, copy);
        if self.dice.throw(2) == 0 {
            self.append_to(name);
        }
    }

    fn truncate_and_refill(&mut self) {
        let name = self.dice.one_of(&LIVE[..2]);
        self.truncate(name, None);
        for _ in 0..self.dice.throw(4) {
            self.append_to(name);
        }
    }

    fn retarget(&mut self) {
        let target = self.dice.one_of(&TARGETS);
        self.told.push(format!("link app.link to {target}"));
        self.world.link(&self.world.path(target), &self.world.path("app.link"));
        self.model.names.insert("app.link".to_owned(), Name::Link(target.to_owned()));
    }

    /// A writer that has a file open goes on, or opens another.
    fn hold(&mut self) {
        let name = self.dice.one_of(&LIVE[..2]);
        let open = self.dice.throw(3) == 0;
        if open || self.held.is_none() {
            let file = self.model.create(name);
            self.held = Some((self.world.open(&self.world.path(name)), file));
        }
        let Some((mut writer, file)) = self.held.take() else { return };
        self.end_begun(file);
        let line = self.model.line();
        self.told.push(format!("{line} goes to the file {file} that is held open"));
        let text = format!("\n{}\n", Self::text(line, &mut self.dice));
        self.world.write(&mut writer, text.as_bytes());
        self.model.files[file].lines.push(line);
        self.held = Some((writer, file));
    }

    fn permit(&mut self, name: &str, readable: bool) {
        if let Some(file) = self.model.resolve(name).filter(|_| self.permits) {
            self.permits &= self.world.permit(&self.world.path(name), readable);
            let content = &mut self.model.files[file];
            content.unreadable = !readable && self.permits;
            // It may be held open, or not any more: then nothing helps.
            content.open &= !content.unreadable;
            self.told.push(format!("readable {name}: {readable}"));
        }
    }

    fn restart(&mut self) {
        self.told.push("restart".to_owned());
        self.tailer = Tailer::new(self.world.disk(), self.limits, self.from_beginning, &self.positions);
        self.looked = false;
        self.model.restarted();
        self.look();
    }

    fn poll(&mut self) -> Result<(), String> {
        self.told.push("poll".to_owned());
        // A second look: what has ended is known by then.
        for _ in 0..2 {
            self.look();
            while self.gather()? {}
        }
        Ok(())
    }

    fn look(&mut self) {
        // Whoever comes after one who has kept nothing begins as that one did.
        if !std::mem::replace(&mut self.looked, true) && self.positions.is_empty() && !self.from_beginning {
            self.model.begin_at_the_end();
        }
        self.tailer.look(self.now_us);
        self.model.looked();
    }

    /// Reads one batch, and keeps it with its positions; whether there is more.
    fn gather(&mut self) -> Result<bool, String> {
        let gathered = self.tailer.gather(true, &mut |_, cut| match cut {
            Cut::Line(line) => {
                let text = std::str::from_utf8(line).ok()?.strip_suffix('#')?;
                let (number, _) = text.split_once(':')?;
                let line = number.parse().ok()?;
                Some(Taken { stamp_us: Some(line), item: line })
            }
            Cut::TooLong => None,
        });
        for line in gathered.items {
            self.told.push(format!("  {line}"));
            self.model.take(line)?;
        }
        for (key, value) in gathered.positions {
            self.positions.retain(|(other, _)| *other != key);
            self.positions.extend(value.map(|value| (key, value)));
        }
        self.model.told();
        Ok(gathered.more)
    }
}
