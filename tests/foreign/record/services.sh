# The conversations of real programs, one function each, run in an empty directory.

packages="postgresql redis-server openssh-server openssh-client samba smbclient dnsmasq dnsutils
    nghttp2 nghttp2-proxy mosquitto mosquitto-clients memcached nginx curl openssl slapd ldap-utils rpcbind rsync
    iperf3 qemu-utils xvfb x11-utils tigervnc-standalone-server tgt libiscsi-bin nfs-ganesha
    nfs-ganesha-vfs libnfs-utils prosody dovecot-imapd dovecot-pop3d beanstalkd nats-server bird2
    subversion dropbear-bin etcd-server etcd-client mariadb-server mariadb-client
    transmission-daemon default-jdk-headless git tcpdump iproute2 python3-venv socat mpd"
modules="grpcio pyftpdlib aiosmtpd pymongo pyzmq thriftpy2 rpyc pymodbus msgpack cryptography"

# up PORT: waits until somebody listens there.
up() {
    for _ in $(seq 200); do
        ss -Htln "sport = :$1" | grep -q . && return
        sleep 0.05
    done
    echo "nobody listens on port $1"
    return 1
}
# A file of so many bytes that do not compress, and one of text.
noise() { head -c "$1" /dev/urandom; }
prose() { seq -f 'line %g of a file that is only there to be sent' "$1"; }
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem \
        -days 30 -subj /CN=localhost 2>/dev/null
}

# -- databases

postgres_up() {
    bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
    chown postgres .
    runuser -u postgres -- "$bin/initdb" -D data -A trust >/dev/null
    runuser -u postgres -- "$bin/postgres" -D data -k "$PWD" -c listen_addresses=127.0.0.1 -c ssl=off &
    up 5432
    until $bin/pg_isready -q -h 127.0.0.1; do sleep 0.1; done
    sql="psql -h 127.0.0.1 -U postgres -q"
}
real_postgres() {
    postgres_up
    $sql -c 'create table t (n int, s text)' -c 'insert into t select i, repeat(chr(64 + i), i) from generate_series(1, 60) i' \
        -c 'select * from t' -c 'select no_such_column from t' -c 'select count(*), now() from t'
}
real_postgres_copy() {
    postgres_up
    $sql -c 'create table t (n int, s text)'
    prose 200 | awk '{ print NR "\t" $0 }' | $sql -c 'copy t from stdin'
    $sql -c 'copy t to stdout'
    $sql -c 'copy (select n, n::float8, s from t limit 60) to stdout (format binary)'
}
real_postgres_prepared() {
    postgres_up
    export PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres
    $sql -c 'create table accounts as select i as id, i * 7 as balance from generate_series(1, 100) i'
    printf '\\set id random(1, 100)\nbegin;\nupdate accounts set balance = balance + 1 where id = :id;\nselect balance from accounts where id = :id;\nend;\n' >work
    $bin/pgbench -n -f work -M prepared -t 8 -c 2
    $bin/pgbench -n -f work -M extended -t 4
}
redis_up() {
    redis-server --port 6379 --save '' --daemonize no --dir "$PWD" &
    up 6379
}
real_redis() {
    redis_up
    redis-cli SET greeting 'hello, world'
    for i in $(seq 30); do redis-cli RPUSH list "$i"; done
    redis-cli LRANGE list 0 -1
    redis-cli HSET h a 1 b 2
    redis-cli HGETALL h
    redis-cli INCRBYFLOAT x 1.5
    redis-cli NOSUCH
    noise 3000 | redis-cli -x SET noise
    redis-cli GET noise
}
real_redis_resp3() {
    redis_up
    redis-cli -3 HSET h a 1 b 2
    redis-cli -3 HGETALL h
    redis-cli -3 SADD s a b c
    redis-cli -3 SMEMBERS s
    redis-cli -3 ZADD z 1.5 a 2 b
    redis-cli -3 ZRANGE z 0 -1 WITHSCORES
    redis-cli -3 CLIENT LIST
    redis-cli -3 CONFIG GET '*'
    redis-cli -3 COMMAND
}
real_redis_pipeline() {
    redis_up
    for i in $(seq 400); do printf '*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$5\r\nvalue\r\n' "${#i}" "$i"; done | redis-cli --pipe
    redis-benchmark -n 60 -c 3 -P 8 -t set,get,lpush -q
}
real_redis_pubsub() {
    redis_up
    timeout 3 redis-cli SUBSCRIBE news weather &
    timeout 3 redis-cli PSUBSCRIBE '*' &
    timeout 3 redis-cli MONITOR &
    sleep 0.5
    for i in $(seq 12); do redis-cli PUBLISH news "item $i"; done
}
real_redis_replication() {
    redis_up
    for i in $(seq 8); do redis-cli SET "key$i" "value $i"; done >/dev/null
    redis-server --port 6380 --save '' --dir "$PWD" --dbfilename replica.rdb --replicaof 127.0.0.1 6379 &
    sleep 3
    for i in $(seq 10); do redis-cli SET "later$i" "$i"; done
}
real_memcached() {
    memcached -u nobody -l 127.0.0.1 -p 11211 &
    up 11211
    { for i in $(seq 20); do printf 'set key%d 0 0 %d\r\n%s\r\n' "$i" 10 0123456789; done
      printf 'get key1 key2 key3\r\nincr key1 1\r\nstats\r\nmg key4 v\r\nquit\r\n'; } | socat -t2 - TCP:127.0.0.1:11211
}
real_memcached_binary() {
    memcached -u nobody -l 127.0.0.1 -p 11211 -B binary &
    up 11211
    "$python" "$here/peers.py" memcached_binary
}
mysql_up() {
    mariadb-install-db --user=mysql --datadir="$PWD/data" --auth-root-authentication-method=normal >/dev/null
    mariadbd --no-defaults --user=mysql --datadir="$PWD/data" --socket="$PWD/sock" --bind-address=127.0.0.1 --pid-file="$PWD/pid" &
    up 3306
    sql="mariadb --no-defaults -h 127.0.0.1 -u root"
}
real_mysql() {
    mysql_up
    $sql -e 'create database d; use d; create table t (n int, s text); insert into t values (1, "one"), (2, repeat("two", 100)); select * from t; show variables like "a%"; show status like "c%"; select nonsense'
}
real_mysql_compressed() {
    mysql_up
    $sql --compress -e 'show variables; select repeat("a", 5000); show status'
}
real_ldap() {
    mkdir db
    cat >slapd.conf <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix dc=example
rootdn cn=admin,dc=example
rootpw secret
directory $PWD/db
END
    slapd -f slapd.conf -h ldap://127.0.0.1:389 -d 0 &
    up 389
    { printf 'dn: dc=example\nobjectClass: domain\ndc: example\n\n'
      for i in $(seq 30); do printf 'dn: cn=person %d,dc=example\nobjectClass: inetOrgPerson\nsn: %d\ncn: person %d\nmail: p%d@example.com\n\n' "$i" "$i" "$i" "$i"; done
    } | ldapadd -x -H ldap://127.0.0.1 -D cn=admin,dc=example -w secret
    ldapsearch -x -H ldap://127.0.0.1 -b dc=example
    ldapsearch -x -H ldap://127.0.0.1 -b dc=example '(mail=p7@*)' cn
}
real_etcd() {
    etcd --data-dir data --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 &
    up 2379
    sleep 1
    export ETCDCTL_API=3
    timeout 4 etcdctl watch --prefix k &
    for i in $(seq 8); do etcdctl put "k$i" "value $i"; done
    etcdctl get --prefix k
}

# -- shells and files

ssh_up() {
    mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f host
    ssh-keygen -q -t ed25519 -N '' -f id
    mkdir -p keys
    cp id.pub keys/authorized
    chmod 755 . keys
    cat >sshd_config <<END
Port 2222
HostKey $PWD/host
AuthorizedKeysFile $PWD/keys/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
${1-}
END
    "$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$PWD/sshd_config" &
    up 2222
    options="-F none -i id -o StrictHostKeyChecking=no -o UserKnownHostsFile=known"
}
real_ssh() {
    ssh_up
    ssh $options -p 2222 root@127.0.0.1 'echo hello; seq 300; exit 3'
    prose 50 | ssh $options -c aes128-ctr -m hmac-sha2-256 -p 2222 root@127.0.0.1 'cat; cat /etc/services'
}
real_sftp() {
    ssh_up
    prose 300 >file
    printf 'put file %s/copy\nls -l %s\nget %s/copy again\nrm %s/copy\n' "$PWD" "$PWD" "$PWD" "$PWD" |
        sftp $options -c aes256-ctr -P 2222 root@127.0.0.1
}
real_ssh_aes_cbc() {
    ssh_up 'Ciphers +aes128-cbc'
    ssh $options -c aes128-cbc -m hmac-sha1 -o KexAlgorithms=diffie-hellman-group14-sha256 -p 2222 root@127.0.0.1 'seq 1000'
}
real_dropbear() {
    ssh_up
    dropbearkey -t ed25519 -f dropbear_key >/dev/null
    dropbear -F -E -r dropbear_key -p 2223 &
    up 2223
    ssh $options -o PreferredAuthentications=none -p 2223 root@127.0.0.1 true
    dropbearkey -t ed25519 -f id_dropbear | grep ^ssh- >>keys/authorized
    dbclient -y -y -i id_dropbear -p 2222 root@127.0.0.1 'seq 400'
}
real_socks_tunnel() {
    ssh_up
    mkdir root
    prose 60 >root/page
    (cd root && "$python" -m http.server -b 127.0.0.1 8000) &
    up 8000
    ssh $options -N -D 127.0.0.1:1080 -p 2222 root@127.0.0.1 &
    up 1080
    curl -s --socks5 127.0.0.1:1080 http://127.0.0.1:8000/page
    curl -s --socks4a 127.0.0.1:1080 http://localhost:8000/page
}
smb_up() {
    mkdir -p share private lock state cache pid ncalrpc
    prose 400 >share/file
    noise 4000 >share/noise
    cat >smb.conf <<END
[global]
workgroup = EXAMPLE
security = user
map to guest = bad user
guest account = root
server min protocol = NT1
client min protocol = NT1
private dir = $PWD/private
lock directory = $PWD/lock
state directory = $PWD/state
cache directory = $PWD/cache
pid directory = $PWD/pid
ncalrpc dir = $PWD/ncalrpc
log file = $PWD/log
load printers = no
disable spoolss = yes
[share]
path = $PWD/share
guest ok = yes
writable = yes
END
    printf 'secret\nsecret\n' | smbpasswd -c "$PWD/smb.conf" -s -a root
    smbd -F --no-process-group -s "$PWD/smb.conf" -l "$PWD" &
    up 445
    smb="smbclient -s $PWD/smb.conf //127.0.0.1/share -U root%secret"
}
smb_session='ls; get file got; put got copy; mkdir d; ls; rename copy d/copy; allinfo d/copy; del d/copy; rmdir d; volume'
real_smb1() { smb_up; $smb -m NT1 -c "$smb_session"; }
real_smb2() { smb_up; $smb -m SMB2_10 -c "$smb_session"; }
real_smb3() { smb_up; $smb -m SMB3_11 -c "$smb_session; get noise n; put n m"; }
real_smb3_encrypted() { smb_up; $smb -m SMB3_11 --client-protection=encrypt -c "$smb_session"; }
real_smb_rpc() {
    smb_up
    rpcclient -s smb.conf -U root%secret 127.0.0.1 -c 'srvinfo; netshareenumall; enumdomusers; lsaquery; querydispinfo'
}
real_nfs() {
    mkdir -p share
    prose 300 >share/file
    cat >ganesha.conf <<END
NFS_CORE_PARAM { Protocols = 3, 4; Enable_NLM = false; Enable_RQUOTA = false; }
NFSV4 { Graceless = true; RecoveryBackend = fs; }
EXPORT { Export_Id = 1; Path = $PWD/share; Pseudo = /share; Access_Type = RW; Squash = No_Root_Squash; SecType = sys; Protocols = 3, 4; FSAL { Name = VFS; } }
END
    mkdir -p /run/ganesha /var/lib/nfs/ganesha
    rpcbind -f -w &
    up 111
    ganesha.nfsd -F -L "$PWD/ganesha.log" -f "$PWD/ganesha.conf" -p "$PWD/pid" &
    up 2049
    sleep 2
    nfs-ls "nfs://127.0.0.1$PWD/share?version=3"
    nfs-cat "nfs://127.0.0.1$PWD/share/file?version=3"
    nfs-cp file "nfs://127.0.0.1$PWD/share/copy?version=3"
    nfs-ls "nfs://127.0.0.1/share?version=4"
    nfs-cat "nfs://127.0.0.1/share/file?version=4"
    tail -5 ganesha.log
}
real_rpcbind() {
    rpcbind -f -w &
    up 111
    rpcinfo -p 127.0.0.1
    for _ in 1 2 3; do rpcinfo -s 127.0.0.1; rpcinfo -T tcp 127.0.0.1 rpcbind; done
}
real_iscsi() {
    tgtd -f --iscsi portal=127.0.0.1:3260 &
    up 3260
    prose 2000 >disk
    truncate -s 8M disk
    target=iqn.2026-01.example:disk
    tgtadm --lld iscsi --op new --mode target --tid 1 -T $target
    tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b "$PWD/disk"
    tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
    iscsi-ls -s iscsi://127.0.0.1
    iscsi-inq "iscsi://127.0.0.1/$target/1"
    iscsi-readcapacity16 "iscsi://127.0.0.1/$target/1"
    timeout 2 iscsi-dd -s "iscsi://127.0.0.1/$target/1" -d "iscsi://127.0.0.1/$target/1" -b 4 -m 2
    iscsi-inq -e 1 -c 0 "iscsi://127.0.0.1/$target/1"
    iscsi-test-cu --dataloss --test=SCSI.Read10 "iscsi://127.0.0.1/$target/1"
}
real_nbd() {
    prose 4000 >disk
    truncate -s 1M disk
    qemu-nbd -t -f raw -b 127.0.0.1 -p 10809 -x disk disk &
    up 10809
    qemu-img convert -f raw -O raw nbd://127.0.0.1:10809/disk copy
    qemu-io -f raw -c 'read 4096 2048' -c 'write -P 66 8192 1024' -c flush nbd://127.0.0.1:10809/disk
}
real_rsync() {
    mkdir -p share/d
    prose 200 >share/file
    for i in $(seq 30); do echo "$i" >"share/d/$i"; done
    printf 'use chroot = no\nuid = root\ngid = root\n[share]\npath = %s\nread only = no\n' "$PWD/share" >rsyncd.conf
    rsync --daemon --no-detach --config=rsyncd.conf --port=873 &
    up 873
    rsync -av rsync://127.0.0.1/share/ copy/
    echo changed >>copy/file
    rsync -avc copy/ rsync://127.0.0.1/share/
}
real_git() {
    export HOME=$PWD GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
    git init -q repository
    for i in $(seq 12); do prose "$i" >"repository/$i"; git -C repository add .; git -C repository commit -q -m "number $i"; done
    touch repository/.git/git-daemon-export-ok
    git daemon --base-path="$PWD" --enable=receive-pack --reuseaddr --listen=127.0.0.1 &
    up 9418
    git clone -q git://127.0.0.1/repository copy
    git -C copy ls-remote
    git -C copy commit -q --allow-empty -m more
    git -C copy push -q origin HEAD:other
}
real_svn() {
    svnadmin create repository
    printf '[general]\nanon-access = write\n' >repository/conf/svnserve.conf
    svnserve -d --foreground -r "$PWD" --listen-host 127.0.0.1 &
    up 3690
    export HOME=$PWD
    svn checkout -q svn://127.0.0.1/repository copy
    for i in $(seq 10); do prose "$i" >"copy/$i"; done
    (cd copy && svn -q add ./* && svn -q commit -m ten && svn log -v && svn update)
}
real_ftp() { "$python" "$here/peers.py" ftp; }

# -- the web

nginx_up() {
    mkdir -p root logs
    prose 300 >root/page
    noise 60000 >root/noise
    certificate
    cat >nginx.conf <<END
daemon off; master_process off; pid $PWD/pid; error_log $PWD/logs/error;
events {}
http {
  access_log off; root $PWD/root;
  client_body_temp_path $PWD/t1; proxy_temp_path $PWD/t2; fastcgi_temp_path $PWD/t3; uwsgi_temp_path $PWD/t4; scgi_temp_path $PWD/t5;
  server { listen 127.0.0.1:8080; gzip on; gzip_types *; $1 }
  server { listen 127.0.0.1:8443 ssl http2; ssl_certificate $PWD/cert.pem; ssl_certificate_key $PWD/key.pem; ssl_protocols TLSv1.2 TLSv1.3; }
}
END
    nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/logs/error" &
    up 8080
    url=http://127.0.0.1:8080
}
real_http_keep_alive() {
    nginx_up ''
    curl -s $url/page $url/none $url/page $url/page -o /dev/null -o /dev/null -o /dev/null -o /dev/null
    curl -sI $url/page $url/
    curl -s --compressed $url/page
    curl -s -X POST -d @root/page $url/page
}
real_http_ranges() {
    nginx_up ''
    curl -s -r 0-99,500-600,5000-5100 $url/page
    curl -s -r 100-900 $url/noise -o a
    curl -s -r -700 $url/noise -o a
}
real_http_download() { nginx_up ''; curl -s $url/noise -o a; }
real_http_zeros() { nginx_up ''; head -c 200000 /dev/zero >root/zeros; curl -s $url/zeros -o a; }
real_https() {
    nginx_up ''
    curl -sk https://127.0.0.1:8443/page -o a
    curl -sk --http1.1 --tls-max 1.2 https://127.0.0.1:8443/page https://127.0.0.1:8443/none -o a -o a
}
real_http_chunked() { "$python" "$here/peers.py" http_chunked; }
real_http_events() { "$python" "$here/peers.py" http_events; }
real_http2() {
    mkdir root
    prose 200 >root/page
    nghttpd --no-tls -d root 8080 &
    up 8080
    nghttp -ans http://127.0.0.1:8080/page http://127.0.0.1:8080/none http://127.0.0.1:8080/page
    curl -s --http2-prior-knowledge http://127.0.0.1:8080/page http://127.0.0.1:8080/page -o a -o a
}
real_http2_upgrade() {
    mkdir root
    prose 100 >root/page
    nghttpd --no-tls -d root 8081 &
    up 8081
    nghttpx -f '127.0.0.1,8080;no-tls' -b '127.0.0.1,8081;;proto=h2' --workers=1 --errorlog-file=error &
    up 8080
    nghttp -uns http://127.0.0.1:8080/page http://127.0.0.1:8080/none
    curl -s --http2 http://127.0.0.1:8080/page http://127.0.0.1:8080/page -o a -o a
}
real_http2_tls() {
    mkdir root
    prose 100 >root/page
    certificate
    nghttpd -d root 8443 key.pem cert.pem &
    up 8443
    nghttp -ans https://127.0.0.1:8443/page https://127.0.0.1:8443/page
}
real_http2_post() {
    mkdir root
    prose 100 >root/page
    nghttpd --no-tls -d root --echo-upload 8080 &
    up 8080
    prose 200 >body
    noise 3000 >noise
    nghttp -n -d body http://127.0.0.1:8080/page
    nghttp -n -d noise http://127.0.0.1:8080/page
}

# -- TLS

tls() {
    certificate
    openssl s_server -accept 4433 -key key.pem -cert cert.pem -quiet $1 >/dev/null &
    up 4433
    for options in "${@:2}"; do
        { prose 20; sleep 0.3; prose 40; sleep 0.3; } | openssl s_client -connect 127.0.0.1:4433 -quiet -no_ign_eof $options
    done
}
real_tls12_cbc() { tls '-tls1_2 -cipher ALL:@SECLEVEL=0' '-cipher ECDHE-ECDSA-AES128-SHA' '-cipher ECDHE-ECDSA-AES256-SHA384'; }
real_tls12_gcm() { tls -tls1_2 '-cipher ECDHE-ECDSA-AES128-GCM-SHA256' '-cipher ECDHE-ECDSA-CHACHA20-POLY1305'; }
real_tls13() { tls -tls1_3 '-ciphersuites TLS_AES_128_GCM_SHA256' '-ciphersuites TLS_CHACHA20_POLY1305_SHA256' '-groups P-384'; }
real_tls13_client_certificate() { tls '-tls1_3 -Verify 1' '-key key.pem -cert cert.pem -groups P-521:X25519'; }
real_tls13_echo() {
    certificate
    openssl s_server -accept 4433 -key key.pem -cert cert.pem -quiet -rev &
    up 4433
    for i in $(seq 40); do prose 1; sleep 0.02; done | openssl s_client -connect 127.0.0.1:4433 -quiet -no_ign_eof
}
real_tls_refused() {
    certificate
    openssl s_server -accept 4433 -key key.pem -cert cert.pem -quiet -tls1_3 &
    up 4433
    openssl s_client -connect 127.0.0.1:4433 -tls1_2
    printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' | socat -t1 - TCP:127.0.0.1:4433
}
# -- names, messages, devices

real_dns() {
    dnsmasq -k --no-resolv --no-hosts --user=root -p 53 --listen-address=127.0.0.1 --bind-interfaces \
        --host-record=www.example.com,192.0.2.1,2001:db8::1 --mx-host=example.com,mail.example.com,10 \
        --txt-record=example.com,"a text that is long enough to be seen" --cname=a.example.com,www.example.com --pid-file= &
    up 53
    for name in www a nothing mail; do dig +tcp @127.0.0.1 $name.example.com any; dig +tcp +dnssec @127.0.0.1 $name.example.com aaaa; done
    dig +tcp @127.0.0.1 example.com mx example.com txt +keepopen
}
real_dns_transfer() {
    hosts=$(for i in $(seq 120); do printf -- '--host-record=h%d.zone.example,192.0.2.%d ' "$i" "$i"; done)
    dnsmasq -k --no-resolv --no-hosts --user=root -p 53 --auth-server=ns.example,lo --auth-zone=zone.example,192.0.2.0/24 \
        --auth-peer=127.0.0.1 --pid-file= $hosts &
    up 53
    dig +tcp @127.0.0.1 zone.example axfr
    dig +tcp @127.0.0.1 zone.example soa
}
mqtt() {
    printf 'listener 1883 127.0.0.1\nallow_anonymous true\n' >mosquitto.conf
    mosquitto -c mosquitto.conf &
    up 1883
    timeout 5 mosquitto_sub -h 127.0.0.1 -V "$1" -q "$2" -t '#' -k 5 &
    sleep 0.5
    for i in $(seq 12); do mosquitto_pub -h 127.0.0.1 -V "$1" -q "$2" -t "sensors/$i" -m "value $i"; done
    prose 40 >file
    mosquitto_pub -h 127.0.0.1 -V "$1" -q "$2" -t files -f file -r
    sleep 1
}
real_mqtt() { mqtt mqttv311 0; }
real_mqtt_qos1() { mqtt mqttv311 1; }
real_mqtt5() { mqtt mqttv5 2; }
real_nats() {
    nats-server -a 127.0.0.1 -p 4222 &
    up 4222
    { printf 'CONNECT {"verbose":true}\r\nSUB news 1\r\n'; for i in $(seq 30); do printf 'PUB news 11\r\nhello world\r\n'; done; printf 'PING\r\n'; sleep 0.5; } |
        socat -t2 - TCP:127.0.0.1:4222
}
real_beanstalk() {
    beanstalkd -l 127.0.0.1 -p 11300 &
    up 11300
    { for i in $(seq 20); do printf 'put 0 0 60 5\r\nhello\r\n'; done; for i in $(seq 20); do printf 'reserve\r\ndelete %d\r\n' "$i"; done; printf 'stats\r\nquit\r\n'; } |
        socat -t2 - TCP:127.0.0.1:11300
}
real_xmpp() {
    cat >prosody.cfg.lua <<END
pidfile = "$PWD/pid"; data_path = "$PWD/data"; interfaces = { "127.0.0.1" }; run_as_root = true; daemonize = false
modules_enabled = { "roster", "saslauth", "disco", "ping" }; modules_disabled = { "s2s", "tls", "offline" }
c2s_require_encryption = false; authentication = "anonymous"; allow_unencrypted_plain_auth = true
log = { info = "*console" }
VirtualHost "localhost"
END
    mkdir data
    chmod 777 data
    prosody --config "$PWD/prosody.cfg.lua" -F &
    up 5222
    stream="<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    { echo "$stream"; sleep 0.3; echo "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"; sleep 0.3
      echo "$stream"; sleep 0.3; echo "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"; sleep 0.3
      for i in $(seq 20); do echo "<iq type='get' id='p$i' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"; sleep 0.02; done; echo '</stream:stream>'; sleep 0.3; } |
        socat -t1 - TCP:127.0.0.1:5222
}
dovecot_up() {
    cat >dovecot.conf <<END
base_dir = $PWD/run
state_dir = $PWD/state
log_path = $PWD/log
protocols = imap pop3
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
mail_location = maildir:$PWD/mail
first_valid_uid = 0
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=$PWD/home
}
service imap-login {
  chroot =
}
service pop3-login {
  chroot =
}
service anvil {
  chroot =
}
END
    mkdir -p mail/new mail/cur mail/tmp home
    for i in $(seq 6); do { printf 'From: a@example.com\nTo: b@example.com\nSubject: number %d\n\n' "$i"; prose 20; } >"mail/new/170000000$i.a.b"; done
    chmod -R 777 .
    dovecot -F -c "$PWD/dovecot.conf" &
    up 143
}
real_imap() { dovecot_up; "$python" "$here/peers.py" imap_client; }
real_pop3() { dovecot_up; "$python" "$here/peers.py" pop3_client; }
real_bgp() {
    for i in 1 2; do
        cat >bird$i.conf <<END
router id 192.0.2.$i;
protocol device {}
protocol static { ipv4; $(for n in $(seq 30); do echo "route 10.$i.$n.0/24 blackhole;"; done) }
protocol bgp { local 127.0.0.$i port 179 as 6500$i; neighbor 127.0.0.$((3 - i)) port 179 as 6500$((3 - i)); multihop; source address 127.0.0.$i; strict bind; connect delay time 1; keepalive time 1; hold time 3; ipv4 { import all; export all; }; }
END
        bird -f -c bird$i.conf -s bird$i.ctl &
    done
    sleep 9
}
real_iperf() {
    iperf3 -s -B 127.0.0.1 &
    up 5201
    iperf3 -c 127.0.0.1 -n 20K -l 1K -i 1
    iperf3 -c 127.0.0.1 -n 10K -l 1K -R -i 1
}
real_x11() {
    Xvfb :7 -listen tcp -nolock -ac -screen 0 640x480x24 -nolisten unix -nolisten local &
    up 6007
    export DISPLAY=127.0.0.1:7
    xdpyinfo >/dev/null
    xwininfo -root -tree
    xprop -root
    xlsatoms

}
real_vnc() {
    Xtigervnc :8 -nolock -rfbport 5908 -SecurityTypes None -geometry 320x240 -localhost -nolisten local &
    up 5908
    "$python" "$here/peers.py" vnc_client
}
real_mpd() {
    mkdir music
    printf 'music_directory "%s/music"\ndb_file "%s/db"\nbind_to_address "127.0.0.1"\nport "6600"\n' "$PWD" "$PWD" >mpd.conf
    mpd --no-daemon mpd.conf &
    up 6600
    { for command in status stats commands outputs tagtypes decoders currentsong ping nonsense close; do echo $command; sleep 0.05; done; } | socat -t1 - TCP:127.0.0.1:6600
}
real_bittorrent() {
    mkdir -p seed leech seedcfg leechcfg
    noise 70000 >seed/file
    printf '{"rpc-port":9091,"peer-port":51413,"dht-enabled":false,"lpd-enabled":true,"pex-enabled":true,"utp-enabled":false,"encryption":0,"port-forwarding-enabled":false,"start-added-torrents":true,"bind-address-ipv4":"127.0.0.1"}' >seedcfg/settings.json
    sed 's/9091/9092/; s/51413/51414/' seedcfg/settings.json >leechcfg/settings.json
    (cd seed && "$python" "$here/peers.py" tracker) &
    up 6969
    transmission-create -o torrent -t http://127.0.0.1:6969/announce seed/file
    transmission-daemon -f -g seedcfg -w "$PWD/seed" -c "$PWD" --no-auth &
    transmission-daemon -f -g leechcfg -w "$PWD/leech" --no-auth &
    up 9091
    up 9092
    transmission-remote 127.0.0.1:9091 -a torrent
    transmission-remote 127.0.0.1:9092 -a torrent
    sleep 12
}
real_jdwp() {
    cat >A.java <<END
public class A { static int n; public static void main(String[] a) throws Exception { for (int i = 0; i < 100; i++) { n += i; Thread.sleep(50); } } }
END
    javac -g A.java
    java -agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:5005 A &
    up 5005
    { sleep 1; for command in 'stop in A.main' run where threads 'print A.n' step locals classes cont; do echo "$command"; sleep 0.5; done; } |
        timeout 12 jdb -attach 127.0.0.1:5005
}
real_java_rmi() {
    cat >R.java <<END
import java.rmi.*; import java.rmi.registry.*; import java.rmi.server.*;
public class R implements Echo {
  public String say(String s, int[] n) { return s + n.length; }
  public static void main(String[] a) throws Exception {
    System.setProperty("java.rmi.server.hostname", "127.0.0.1");
    R r = new R();
    Registry here = LocateRegistry.createRegistry(1099);
    here.rebind("echo", UnicastRemoteObject.exportObject(r, 1100));
    Echo e = (Echo) LocateRegistry.getRegistry("127.0.0.1", 1099).lookup("echo");
    for (int i = 0; i < 20; i++) e.say("hello " + i, new int[i * 10]);
    System.exit(0);
  }
}
interface Echo extends Remote { String say(String s, int[] n) throws RemoteException; }
END
    javac R.java && java R
}
