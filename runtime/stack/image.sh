# The image `stack/busybox:1`: one layer with a static busybox, packed as an OCI layout that every engine can load (a
# `manifest.json` in it makes it a docker archive, too).

sha() { sha256sum "$1" | cut -d' ' -f1; }

# blob FILE: moves it to where the layout wants it; its digest.
blob() {
    local digest
    digest=$(sha "$1")
    mv "$1" "$work/layout/blobs/sha256/$digest"
    echo "$digest"
}

make_image() {
    local root=$work/root layout=$work/layout layer config manifest size
    mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp,root} "$layout/blobs/sha256"
    local busybox=/usr/bin/busybox
    [ -x $busybox ] || busybox=/bin/busybox
    cp $busybox "$root/bin/busybox"
    for name in $("$root/bin/busybox" --list); do
        [ -e "$root/bin/$name" ] || ln -s busybox "$root/bin/$name"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    tar -C "$root" --numeric-owner --owner=0 --group=0 -cf "$work/layer" .
    layer=$(blob "$work/layer")
    cat >"$work/config" <<JSON
{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]},"history":[{"created_by":"stack"}]}
JSON
    config=$(blob "$work/config")
    size() { stat -c %s "$layout/blobs/sha256/$1"; }
    cat >"$work/manifest" <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$config","size":$(size "$config")},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:$layer","size":$(size "$layer")}]}
JSON
    manifest=$(blob "$work/manifest")
    echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
    cat >"$layout/index.json" <<JSON
{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$manifest","size":$(size "$manifest"),"annotations":{"io.containerd.image.name":"docker.io/stack/busybox:1","org.opencontainers.image.ref.name":"1"}}]}
JSON
    cat >"$layout/manifest.json" <<JSON
[{"Config":"blobs/sha256/$config","RepoTags":["stack/busybox:1"],"Layers":["blobs/sha256/$layer"]}]
JSON
    tar -C "$layout" -cf "$work/image.tar" oci-layout index.json manifest.json blobs
}
