/// The parts of a Slurm job's scripts that are the same for every cluster.
enum SlurmScripts {
    static let begin = #"""
        set -euo pipefail
        umask 077

        fail() {
            echo "$1" >&2
            exit 2
        }
        for program in shard-coordinator shard-worker; do
            [ -x "$programs/$program" ] || fail "$programs/$program: not found on $SLURMD_NODENAME; edit programs= in this script"
        done
        folder=$jobs/$SLURM_JOB_ID
        mkdir -p "$jobs"
        # One that a job of this number left when its node failed.
        rm -rf "$folder"
        mkdir "$folder"
        trap 'rm -rf "$folder"' EXIT

        if [ -z "$address" ]; then
            name=$(scontrol show node "$SLURMD_NODENAME" | sed -n 's/.*NodeAddr=\([^ ]*\).*/\1/p')
            case $name in
            *[!0-9.]*)
                # Some machines take their own name for loopback, where no other node would find them.
                address=$(getent ahostsv4 "$name" | awk '$1 !~ /^127\./ && !found++ { print $1 }') || true
                [ -n "$address" ] || address=$(hostname -I | awk '{ print $1 }')
                ;;
            *) address=$name ;;
            esac
        fi
        [ -n "$address" ] || fail "address: expected one of $SLURMD_NODENAME, found none; edit address= in this script"

        "$programs/shard-coordinator" keygen -o "$folder/keys" >/dev/null
        for name in "${names[@]}"; do
            "$programs/shard-worker" keygen --name "$name" -o "$folder/keys" >/dev/null
        done

        """#

    /// Functions for both scripts.
    static let again = #"""
        # await PROCESS: its exit status, also when signals come meanwhile.
        await() {
            local status
            while :; do
                status=0
                wait "$1" || status=$?
                kill -0 "$1" 2>/dev/null || return "$status"
            done
        }

        # again NAME COMMAND...: runs a command, and again when it fails, with pauses of 1 to 30 s. Gives up on a wrong
        # configuration (2, 64), and after 10 runs in a row that were shorter than a minute. In the background only.
        again() {
            local name=$1 child= stopping= pause=1 quick=0 began status
            shift
            trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' TERM INT
            while :; do
                began=$SECONDS
                "$@" &
                child=$!
                [ -z "$stopping" ] || kill -TERM "$child" 2>/dev/null || true
                status=0
                await "$child" || status=$?
                [ -z "$stopping" ] || return 0
                case $status in
                0) return 0 ;;
                2 | 64) return "$status" ;;
                esac
                if [ $((SECONDS - began)) -ge 60 ]; then
                    pause=1
                    quick=0
                fi
                quick=$((quick + 1))
                if [ "$quick" -ge 10 ]; then
                    echo "$name: ended with status $status, $quick times in a row; giving up" >&2
                    return "$status"
                fi
                echo "$name: ended with status $status; starting it again in $pause s" >&2
                sleep "$pause" &
                child=$!
                await "$child" || true
                [ -z "$stopping" ] || return 0
                pause=$((pause < 15 ? pause * 2 : 30))
            done
        }

        """#

    /// - Parameter cases: of the node's number.
    static func node(cases: String) -> String {
        #"""
        # Runs on each node: its workers, started again when they fail.
        # Arguments: the job's folder, the programs' folder, the coordinator's address.
        set -u
        folder=$1
        programs=$2
        coordinator=$3
        . "$folder/again.sh"
        workers=()
        stopping=

        # start NAME FLAG...
        start() {
            local name=$1
            shift
            again "worker $name" "$programs/shard-worker" --coordinator "$coordinator" --name "$name" \
                --key "$folder/keys/$name.key" --coordinator-key "$folder/keys/coordinator.pub" "$@" &
            workers+=($!)
        }

        trap 'stopping=1' TERM INT
        case $SLURM_NODEID in

        """# + cases + #"""
            *)
                echo "node $SLURM_NODEID: there is no worker for it" >&2
                exit 2
                ;;
            esac
            # Until the first ends for good; then the node's others end too.
            status=0
            [ -n "$stopping" ] || wait -n "${workers[@]}" || status=$?
            kill -TERM "${workers[@]}" 2>/dev/null
            for worker in "${workers[@]}"; do await "$worker" || true; done
            [ -z "$stopping" ] || status=0
            exit "$status"

            """#
    }

    /// Adds to `cluster.yaml` what only the job knows. A port of 0 takes a free one, and workers are told.
    static func addresses(results: Int, weights: Int, http: String) -> String {
        #"""
        {
            echo 'coordinator:'
            echo "  bind: \"tcp://$address:$control_port\""
            echo "  results: \"tcp://$address:\#(results)\""
            echo "  weights: \"tcp://$address:\#(weights)\""
            echo '  http: "\#(http)"'
            echo 'security:'
            echo '  key_dir: keys'
            echo '  workers:'
            for name in "${names[@]}"; do
                echo "    \"$name\": \"$(sed -n 's/^public-key *= *//p' "$folder/keys/$name.pub")\""
            done
        } >>"$folder/cluster.yaml"

        """#
    }

    /// - Parameters:
    ///   - options: further ones of srun.
    ///   - hint: how a person reaches HTTP; in double quotes of the shell.
    static func run(nodeCount: Int, options: String, hint: String) -> String {
        #"""
        . "$folder/again.sh"
        coordinator=
        workers=
        finish() {
            trap '' TERM INT
            rm -rf "$folder"
            # The coordinator first, so that running answers end while there are workers.
            for process in $coordinator $workers; do
                kill -TERM "$process" 2>/dev/null || true
                await "$process" || true
            done
        }
        trap finish EXIT
        trap 'exit 0' TERM INT

        again coordinator "$programs/shard-coordinator" launch --config "$folder/cluster.yaml" &
        coordinator=$!
        srun --nodes=\#(nodeCount) --ntasks=\#(nodeCount) --ntasks-per-node=1 --cpu-bind=none --mem=0 --kill-on-bad-exit=1\#(options) \
            bash "$folder/node.sh" "$folder" "$programs" "tcp://$address:$control_port" &
        workers=$!
        echo "coordinator: node $SLURMD_NODENAME, workers report to tcp://$address:$control_port"
        echo "HTTP: \#(hint)"

        status=0
        wait -n "$coordinator" "$workers" || status=$?
        exit "$status"

        """#
    }
}
