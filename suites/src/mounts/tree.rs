//! A tree of two mounts of the host, `tree` and `tree/sub`, as the source of bind mounts: each has files that show the effect of an option.

use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::recipe::Edit;

/// What the source of a bind mount of the tree ends with.
pub(super) const SOURCE: &str = "{bundle}/tree";

/// Makes the tree, with these options of the host at its top and below.
pub(super) fn make<'r>(recipe: &'r mut Recipe, top: &[&str], sub: &[&str]) -> &'r mut Recipe {
    fill(recipe.tmpfs_beside("tree", top), "tree");
    recipe.tmpfs_beside("tree/sub", sub);
    // What is mounted read-only stays empty: there only writing is tried.
    if sub.contains(&"ro") { recipe } else { fill(recipe, "tree/sub") }
}

/// Makes the tree and binds it to `/m`.
pub(super) fn bound<'r>(recipe: &'r mut Recipe, top: &[&str], sub: &[&str], options: &[&str]) -> &'r mut Recipe {
    make(recipe, top, sub).mount("/m", "bind", SOURCE, options)
}

fn fill<'r>(recipe: &'r mut Recipe, dir: &str) -> &'r mut Recipe {
    recipe
        .beside(&format!("{dir}/file"), "content")
        .edit(Edit::Symlink(format!("{dir}/link"), "file".to_owned()))
        .edit(Edit::SetUserId(format!("{dir}/program")))
        .edit(Edit::Device(format!("{dir}/device"), 'c', 1, 3))
}
