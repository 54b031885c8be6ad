use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use nix::unistd::mkfifo;

use super::*;

/// A directory `b` with a neighbour, which must be as it was.
struct Scene {
    temp: tempfile::TempDir,
    root: Root,
}

fn scene() -> Scene {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("b")).unwrap();
    fs::create_dir(temp.path().join("outside")).unwrap();
    fs::write(temp.path().join("outside/file"), "kept").unwrap();
    fs::set_permissions(temp.path().join("outside/file"), Permissions::from_mode(0o644)).unwrap();
    let root = Root::open(&temp.path().join("b")).unwrap();
    Scene { temp, root }
}

impl Scene {
    fn below(&self, path: &str) -> PathBuf {
        self.temp.path().join("b").join(path)
    }

    fn assert_untouched(&self) {
        let names: Vec<_> = fs::read_dir(self.temp.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        let outside: Vec<_> = fs::read_dir(self.temp.path().join("outside")).unwrap().collect();
        assert_eq!(outside.len(), 1, "{outside:?}");
        let file = self.temp.path().join("outside/file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o644);
    }

    /// Every way to make something, at this path.
    fn try_all(&self, path: &str) -> Vec<io::Result<()>> {
        let at = Path::new(path);
        let source = self.temp.path().join("outside/file");
        vec![
            self.root.file(at, b"x", 0o777),
            self.root.directory(at, 0o777),
            self.root.symlink(at, "/"),
            self.root.owner(at, 1, 1),
            self.root.link(&source, at),
            self.root.device(at, SFlag::S_IFCHR, 0x103),
            self.root.mount_point(at).map(drop),
        ]
    }
}

#[test]
fn a_path_that_leaves_is_refused_whatever_is_made() {
    let scene = scene();
    let absolute = scene.temp.path().join("outside/new").display().to_string();
    for path in ["..", "../outside/new", "a/../../outside/new", &absolute, "/", "", "."] {
        for (kind, made) in scene.try_all(path).into_iter().enumerate() {
            assert!(made.is_err(), "{path:?} by {kind}");
        }
    }
    scene.assert_untouched();
    assert_eq!(fs::read_dir(scene.below("")).unwrap().count(), 0, "and nothing is made on the way");
}

#[test]
fn no_link_is_followed() {
    let scene = scene();
    for target in ["../outside", "/proc/self/root", scene.temp.path().join("outside").to_str().unwrap()] {
        symlink(target, scene.below("link")).unwrap();
        for (kind, made) in scene.try_all("link/file").into_iter().enumerate() {
            assert!(made.is_err(), "through {target} by {kind}");
        }
        fs::remove_file(scene.below("link")).unwrap();
    }
    symlink("../outside/file", scene.below("end")).unwrap();
    assert!(scene.root.directory(Path::new("end"), 0o777).is_err());
    scene.root.file(Path::new("end"), b"x", 0o644).unwrap();
    assert!(fs::symlink_metadata(scene.below("end")).unwrap().is_file(), "the file took the place of the link");
    scene.assert_untouched();
}

#[test]
fn what_has_a_second_name_is_neither_written_to_nor_given_away() {
    let scene = scene();
    let source = scene.temp.path().join("outside/file");
    scene.root.link(&source, Path::new("linked")).unwrap();
    assert!(scene.root.owner(Path::new("linked"), 1, 1).is_err());
    scene.root.file(Path::new("linked"), b"other", 0o777).unwrap();
    scene.assert_untouched();
}

#[test]
fn a_fifo_is_replaced_and_never_opened() {
    let scene = scene();
    mkfifo(&scene.below("fifo"), Mode::S_IRWXU).unwrap();
    scene.root.file(Path::new("fifo"), b"x", 0o644).unwrap();
    assert_eq!(fs::read_to_string(scene.below("fifo")).unwrap(), "x");
    mkfifo(&scene.below("other"), Mode::S_IRWXU).unwrap();
    assert!(scene.root.file(Path::new("other/x"), b"x", 0o644).is_err());
}

#[test]
fn no_mode_lets_a_file_run_as_another() {
    let scene = scene();
    scene.root.file(Path::new("a/b"), b"x", 0o6755).unwrap();
    scene.root.directory(Path::new("d"), 0o7777).unwrap();
    let mode = |path| fs::metadata(scene.below(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("a/b"), mode("d")), (0o755, 0o1777));
}
