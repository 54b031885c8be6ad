//! The kernel to boot: an image, with the modules and the configuration beside it. Images are those of x86, see
//! `Documentation/arch/x86/boot.rst` of the kernel.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll_foreign::read;

use crate::environment::Lsm;
use crate::error::Error;

/// A kernel on the host's disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The image.
    pub image: PathBuf,
    /// What `uname -r` will print.
    pub release: String,
    /// The directory of its modules, when it is there.
    pub modules: Option<PathBuf>,
}

/// What a machine cannot do without. As modules they would come too late.
const NEEDED: &[&str] = &[
    "BINFMT_ELF",
    "BLK_DEV_INITRD",
    "CGROUPS",
    "DEVTMPFS",
    "NAMESPACES",
    "PROC_FS",
    "SERIAL_8250_CONSOLE",
    "SYSFS",
    "TMPFS",
];

/// How much of an image holds its header and the text of its version.
const HEAD: u64 = 64 * 1024;

impl Kernel {
    /// The kernel that a user means: an image, or the newest of a directory into which packages were unpacked, or the
    /// newest of this host.
    ///
    /// # Errors
    /// When there is none, with what to do.
    pub fn find(named: Option<&Path>) -> Result<Self, Error> {
        let Some(named) = named else {
            return Self::newest_below(Path::new("/")).ok_or_else(|| {
                Error::Kernel(
                    "no readable kernel image in /boot or /lib/modules: name one with --kernel, which may be a \
                     directory that a kernel package was unpacked into (harness/vm/fetch-kernels gets some)"
                        .to_owned(),
                )
            });
        };
        let named = std::path::absolute(named).map_err(Error::host("find the kernel"))?;
        let meta =
            fs::metadata(&named).map_err(|why| Error::Kernel(format!("no kernel at {}: {why}", named.display())))?;
        if meta.is_dir() {
            let none = || {
                format!("no kernel image in {}: looked for boot/vmlinuz* and lib/modules/*/vmlinuz", named.display())
            };
            return Self::newest_below(&named).ok_or_else(|| Error::Kernel(none()));
        }
        Self::of_image(&named).ok_or_else(|| {
            Error::Kernel(format!("{} is not a kernel image for x86 (a bzImage), or not readable", named.display()))
        })
    }

    fn newest_below(root: &Path) -> Option<Self> {
        let listed = |dir: PathBuf| -> Vec<PathBuf> {
            let entries = fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
            entries.unwrap_or_default()
        };
        let modules = ["lib/modules", "usr/lib/modules"].into_iter().flat_map(|dir| listed(root.join(dir)));
        let images = modules.map(|dir| dir.join("vmlinuz")).chain(listed(root.join("boot")));
        let images =
            images.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz")));
        images.filter_map(|image| Self::of_image(&image)).max_by_key(|kernel| version(&kernel.release))
    }

    fn of_image(image: &Path) -> Option<Self> {
        let release = release(image)?;
        let modules = modules_beside(image, &release);
        Some(Self { image: image.to_owned(), release, modules })
    }

    /// Refuses a kernel that was built without what a machine needs, as far as its configuration is there to tell.
    ///
    /// # Errors
    /// [`Error::Kernel`], which names the options.
    pub fn fit_for(&self, lsm: Lsm) -> Result<(), Error> {
        let Some(config) = self.config() else { return Ok(()) };
        let of_lsm = match lsm {
            Lsm::None => None,
            Lsm::Selinux => Some("SECURITY_SELINUX"),
            Lsm::Apparmor => Some("SECURITY_APPARMOR"),
        };
        let built_in = |option: &&str| config.lines().any(|line| line == format!("CONFIG_{option}=y"));
        let missing: Vec<String> = NEEDED
            .iter()
            .copied()
            .chain(of_lsm)
            .filter(|option| !built_in(option))
            .map(|o| format!("CONFIG_{o}=y"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::Kernel(format!(
            "kernel {} was built without {}: take another one",
            self.release,
            missing.join(", ")
        )))
    }

    fn config(&self) -> Option<String> {
        let beside = self.image.with_file_name(format!("config-{}", self.release));
        let with_modules = self.modules.iter().map(|dir| dir.join("config"));
        [beside]
            .into_iter()
            .chain(with_modules)
            .find_map(|path| read::whole(read::regular_file(&path).ok()?, read::LOG).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The release, from the header of the image.
fn release(image: &Path) -> Option<String> {
    let head = read::whole(read::regular_file(image).ok()?.take(HEAD), read::DOCUMENT).ok()?;
    if head.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let at = usize::from(u16::from_le_bytes([*head.get(0x20e)?, *head.get(0x20f)?])) + 0x200;
    let text = head.get(at..)?.split(|byte| *byte == 0).next()?;
    String::from_utf8_lossy(text).split_whitespace().next().map(str::to_owned)
}

/// `lib/modules/RELEASE` of the tree that the image is in, or of the host.
fn modules_beside(image: &Path, release: &str) -> Option<PathBuf> {
    let own = image.parent()?;
    let tree = own.parent().unwrap_or(own);
    let below = |root: &Path| ["lib/modules", "usr/lib/modules"].map(|dir| root.join(dir).join(release));
    let places = [own.to_owned()].into_iter().chain(below(own)).chain(below(tree)).chain(below(Path::new("/")));
    places.into_iter().find(|dir| dir.join("kernel").is_dir())
}

/// The numbers of a release, to compare by.
fn version(release: &str) -> Vec<u64> {
    release.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with the header of an image and nothing else.
    fn image(path: &Path, release: &str) {
        let mut bytes = vec![0; 0x300];
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        bytes[0x20e..0x210].copy_from_slice(&0x60_u16.to_le_bytes());
        bytes[0x260..0x260 + release.len()].copy_from_slice(release.as_bytes());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn the_newest_of_a_directory_with_the_modules_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        image(&dir.path().join("boot/vmlinuz-6.1.9"), "6.1.9 (builder) #1");
        image(&dir.path().join("usr/lib/modules/6.12.1/vmlinuz"), "6.12.1 (builder) #1");
        fs::create_dir_all(dir.path().join("lib/modules/6.1.9/kernel")).unwrap();
        fs::create_dir_all(dir.path().join("usr/lib/modules/6.12.1/kernel")).unwrap();
        let newest = Kernel::find(Some(dir.path())).unwrap();
        assert_eq!(newest.release, "6.12.1");
        assert_eq!(newest.modules, Some(dir.path().join("usr/lib/modules/6.12.1")));
        let named = Kernel::find(Some(&dir.path().join("boot/vmlinuz-6.1.9"))).unwrap();
        assert_eq!(named.modules, Some(dir.path().join("lib/modules/6.1.9")));
    }

    #[test]
    fn what_is_no_kernel_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let text = |path: &Path| Kernel::find(Some(path)).unwrap_err().to_string();
        assert!(text(dir.path()).contains("looked for boot/vmlinuz*"));
        assert!(text(&dir.path().join("none")).contains("No such file"));
        fs::write(dir.path().join("plain"), "x").unwrap();
        assert!(text(&dir.path().join("plain")).contains("not a kernel image"));
    }

    #[test]
    fn a_configuration_without_what_is_needed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        image(&dir.path().join("boot/vmlinuz-6.1.9"), "6.1.9");
        let kernel = Kernel::find(Some(dir.path())).unwrap();
        assert!(kernel.fit_for(Lsm::Selinux).is_ok(), "nothing is known of it");
        let config: String = NEEDED.iter().map(|option| format!("CONFIG_{option}=y\n")).collect();
        fs::write(dir.path().join("boot/config-6.1.9"), &config).unwrap();
        assert!(kernel.fit_for(Lsm::None).is_ok());
        assert!(kernel.fit_for(Lsm::Selinux).unwrap_err().to_string().contains("without CONFIG_SECURITY_SELINUX=y"));
        fs::write(dir.path().join("boot/config-6.1.9"), config.replace("TMPFS=y", "TMPFS=m")).unwrap();
        assert!(kernel.fit_for(Lsm::None).unwrap_err().to_string().contains("CONFIG_DEVTMPFS=y, CONFIG_TMPFS=y"));
    }

    #[test]
    fn releases_are_compared_by_number() {
        assert!(version("6.12.1-1-amd64") > version("6.1.9-30-amd64"));
    }
}
