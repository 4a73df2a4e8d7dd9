# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts share. Sourcing it leaves the shell in the root of the checkout, with the system's own
# tools first: a Python or meson of the user's in front of them must not decide what is tested.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset PYTHONPATH PYTHONHOME CDPATH

die()
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# configure DIR OPTION...: a meson build folder with these options, made anew if it cannot be reused.
configure()
{
	local dir=$1
	shift
	if [ -f "$dir/build.ninja" ] && meson setup --reconfigure "$dir" "$@"; then
		return
	fi
	rm -rf "$dir"
	meson setup "$dir" "$@"
}

# link_programs DIR: DIR/bin holds a link to every program and example that was built in DIR.
link_programs()
{
	local program
	mkdir -p "$1/bin"
	while IFS= read -r program; do
		ln -sfn "../${program#"$1"/}" "$1/bin/"
	done < <(find "$1" -type f -perm -u+x \( -path "$1/src/*/teesql*" -o -path "$1/examples/verify_*" \) \
		! -path '*.p/*')
}
