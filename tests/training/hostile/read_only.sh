# Runs a command where nothing can be written except into one folder: unshare -rm bash read_only.sh ROOT FOLDER COMMAND …
# ROOT, rawstep, is /mnt/rawstep there, and FOLDER the working directory, of which `out` can be written; /tmp is new.
# Prints what is left in /tmp.
set -eu
root=$1 folder=$2
shift 2
mount -t tmpfs tmpfs /mnt
mkdir /mnt/rawstep /mnt/folder
mount --bind "$root" /mnt/rawstep
mount --bind "$folder" /mnt/folder
mount --bind "$folder/out" /mnt/folder/out
mount -t tmpfs tmpfs /tmp
awk '{print $5, $6}' /proc/self/mountinfo | while read -r place options; do
    case $place in
    /tmp | /mnt/folder/out | /proc* | /dev* | /sys*) continue ;;
    esac
    # A user who is not root may not take these away.
    kept=$(grep -oE 'nosuid|nodev|noexec|noatime|nodiratime|relatime' <<<"$options" | paste -sd, -)
    mount -o "remount,bind,ro${kept:+,$kept}" "$place" 2>/dev/null || ! mountpoint -q "$place"
done
cd /mnt/folder
"$@"
find /tmp -mindepth 1
