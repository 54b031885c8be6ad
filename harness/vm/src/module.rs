//! Kernel modules, from the directory beside the image: found by name, decompressed, with their dependencies. Packages of distributions
//! have no `modules.dep`, so the dependencies are read from the modules.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use goblin::elf::Elf;
use plimsoll_foreign::read;

use crate::error::Error;
use crate::pack::read_program;

/// What checks and runtimes use, where the kernel has it as a module.
pub const WANTED: &[&str] = &[
    "overlay",    // root filesystems of engines, and mounts of that type
    "fuse",       // /dev/fuse
    "tun",        // /dev/net/tun, a device that runtimes allow
    "veth",       // interfaces to be moved
    "dummy",      // interfaces to be moved, without a peer
    "bridge",     // interfaces that have others below them
    "null_blk",   // a block device for limits of block input and output
    "bfq",        // io.bfq.weight
    "cls_cgroup", // net_cls of cgroup v1
];

/// A module as the kernel loads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name, with underscores.
    pub name: String,
    /// The unpacked file.
    pub bytes: Vec<u8>,
}

/// The modules of a directory by name.
#[derive(Debug)]
pub struct Modules(BTreeMap<String, PathBuf>);

impl Modules {
    /// Lists a directory such as `/lib/modules/RELEASE`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(dir: &Path) -> Result<Self, Error> {
        let mut found = BTreeMap::new();
        list(&dir.join("kernel"), &mut found).map_err(Error::reading(dir))?;
        Ok(Self(found))
    }

    /// These modules and what they depend on, in the order in which they can be loaded. A name that is not there is
    /// built in or not to be had; which of the two shows inside.
    ///
    /// # Errors
    /// When one cannot be read or unpacked.
    pub fn with_dependencies(&self, names: &[&str]) -> Result<Vec<Module>, Error> {
        let mut ordered = Vec::new();
        for name in names {
            self.collect(name, &mut ordered)?;
        }
        Ok(ordered)
    }

    fn collect(&self, name: &str, ordered: &mut Vec<Module>) -> Result<(), Error> {
        let name = name.replace('-', "_");
        let Some(path) = self.0.get(&name) else { return Ok(()) };
        if ordered.iter().any(|module| module.name == name) {
            return Ok(());
        }
        let bytes = unpacked(path).map_err(Error::reading(path))?;
        for dependency in dependencies(&bytes) {
            self.collect(&dependency, ordered)?;
        }
        ordered.push(Module { name, bytes });
        Ok(())
    }
}

fn list(dir: &Path, found: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), found)?;
        } else if let Some((name, _)) = entry.file_name().to_string_lossy().split_once(".ko") {
            found.insert(name.replace('-', "_"), entry.path());
        }
    }
    Ok(())
}

/// The module, whichever way the distribution packs it.
fn unpacked(path: &Path) -> io::Result<Vec<u8>> {
    let packed = read_program(path)?;
    let whole = |packed: &mut dyn Read| Ok(read::whole(packed, read::PROGRAM)?);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => whole(&mut lzma_rust2::XzReader::new(packed.as_slice(), true)),
        Some("gz") => whole(&mut flate2::read::GzDecoder::new(packed.as_slice())),
        Some("zst") => {
            whole(&mut ruzstd::decoding::StreamingDecoder::new(packed.as_slice()).map_err(io::Error::other)?)
        }
        _ => Ok(packed),
    }
}

/// What the module names in its section `.modinfo`: `depends=a,b`.
fn dependencies(bytes: &[u8]) -> Vec<String> {
    let Ok(elf) = Elf::parse(bytes) else { return Vec::new() };
    let is_info = |header: &&goblin::elf::SectionHeader| elf.shdr_strtab.get_at(header.sh_name) == Some(".modinfo");
    let range = elf.section_headers.iter().find(is_info).and_then(|header| header.file_range());
    let info = range.and_then(|range| bytes.get(range)).unwrap_or_default();
    let entries = info.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok());
    let names = entries.filter_map(|entry| entry.strip_prefix("depends=")).flat_map(|names| names.split(','));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn names_are_found_below_and_what_is_absent_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let net = dir.path().join("kernel/drivers/net");
        fs::create_dir_all(&net).unwrap();
        fs::write(net.join("a-b.ko"), "no ELF").unwrap();
        let found = Modules::of(dir.path()).unwrap().with_dependencies(&["a_b", "none", "a-b"]).unwrap();
        assert_eq!(found, [Module { name: "a_b".to_owned(), bytes: b"no ELF".to_vec() }]);
    }

    #[test]
    fn packed_modules_are_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        let kernel = dir.path().join("kernel");
        fs::create_dir_all(&kernel).unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"content").unwrap();
        fs::write(kernel.join("g.ko.gz"), gz.finish().unwrap()).unwrap();
        let zst = ruzstd::encoding::compress_to_vec(b"content".as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
        fs::write(kernel.join("z.ko.zst"), zst).unwrap();
        let found = Modules::of(dir.path()).unwrap().with_dependencies(&["g", "z"]).unwrap();
        assert_eq!(found.iter().map(|module| module.bytes.as_slice()).collect::<Vec<_>>(), [b"content", b"content"]);
        fs::write(kernel.join("x.ko.xz"), "broken").unwrap();
        let broken = Modules::of(dir.path()).unwrap().with_dependencies(&["x"]);
        assert!(broken.unwrap_err().to_string().contains("x.ko.xz"));
    }
}
