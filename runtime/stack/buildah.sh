# buildah, which builds images by running programs in them.

needs="buildah"
runtime_roots=
image=docker.io/stack/busybox:1

client() {
    BUILDAH_ISOLATION=oci TMPDIR=$work buildah --root "$work/buildah" --runroot "$work/buildah-run" --storage-driver vfs "$@"
}

begin() {
    echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"
    client pull --quiet --signature-policy "$work/policy.json" "oci-archive:$work/image.tar" >/dev/null
}

from() { client from --signature-policy "$work/policy.json" --pull-never "$@" "$(client images --quiet | head -1)"; }
on() { client run --runtime "$runtime" --isolation oci "$@"; }
gone() { client rm "$1" >/dev/null; }
