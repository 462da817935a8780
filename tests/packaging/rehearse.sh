#!/bin/bash
# Runs once in a booted Debian, as root; tests/packaging/test_rehearsal.py reads what it writes.
# Each line of the result is: name value.
exec 2>/rehearsal.log
set -x
tell() { echo "$1 $2" >>/result; }
state() { systemctl show -P "$1" shelfgate; }
main() { local pid; pid=$(state MainPID); [ "$pid" -gt 0 ] && kill "-$1" "$pid"; }
until_restarts() { # systemd counts them
  for _ in $(seq 200); do
    [ "$(state NRestarts)" = "$1" ] && [ "$(state ActiveState)" = active ] && return
    sleep 0.2
  done
}
drop_in=/etc/systemd/system/shelfgate.service.d
shipped=/opt/shelfgate/current/share/shelfgate/systemd

/release/install
tell install $?
tell started "$(state ActiveState)"
shelfgate status
tell status $?
tell state_folder "$(stat -L -c %a /var/lib/shelfgate)"

mkdir -p $drop_in
printf '[Service]\nWatchdogSec=3\n' >$drop_in/watchdog.conf
systemctl daemon-reload
systemctl restart shelfgate
sleep 10 # idle, its devices and broker unreachable: more than three periods
tell restarts_while_idle "$(state NRestarts)"
main STOP
until_restarts 1
tell restarts_after_stop "$(state NRestarts)"
main KILL
until_restarts 2
tell restarts_after_kill "$(state NRestarts)"

for name in serial keyboard addresses; do
  cp $shipped/$name.conf $drop_in
  systemctl daemon-reload
  systemctl restart shelfgate
  tell "with_$name" "$(state ActiveState)"
  rm $drop_in/$name.conf
done
systemctl daemon-reload
systemctl restart shelfgate

good=$(readlink /opt/shelfgate/current)
/broken/install
tell broken_release $?
[ "$(readlink /opt/shelfgate/current)" = "$good" ]
tell put_back $?
tell up_again "$(state ActiveState)"

rm /etc/shelfgate/credentials/mqtt-password
systemctl restart shelfgate
sleep 5 # longer than RestartSec
tell without_secret "$(state ExecMainStatus)"
tell left_alone "$(state ActiveState)"
tell end 0
systemctl poweroff
