# SPDX-License-Identifier: MIT
# grpc_only.pl PORT ETCD_PORT [WAY]: what etcd's client port is when its gateway has a port of its own.
# HTTP/2 goes through to an etcd. HTTP/1.1 gets what a gRPC server says before it hangs up: the
# settings of HTTP/2; over TLS, where the client does not offer h2, WAY: an alert, or nothing.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($port, $etcd, $way) = (@ARGV, 'alert');
my $settings = pack('H*', '000000040000000000');
my $alert = pack('H*', '15030300020278'); # fatal, no_application_protocol
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 99,
    ReuseAddr => 1) or die "port $port: $!";
my $select = IO::Select->new($listener);
my %other; # of a pair
my $parent = getppid;

sub close_both
{
    for my $end ($_[0], delete $other{$_[0]}) {
        next unless $end;
        delete $other{$end};
        $select->remove($end);
        close $end;
    }
}

sub first_words
{
    my ($client, $data) = @_;
    my $is_tls = ord($data) == 0x16;
    if ($is_tls ? $data =~ /\x02h2/ : $data =~ /^PRI \* HTTP\/2/) {
        my $server = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$etcd") or return close_both($client);
        ($other{$client}, $other{$server}) = ($server, $client);
        $select->add($server);
        return syswrite $server, $data;
    }
    syswrite $client, $is_tls ? ($way eq 'alert' ? $alert : '') : $settings;
    close_both($client);
}

$SIG{PIPE} = 'IGNORE';
while (getppid == $parent) {
    for my $end ($select->can_read(1)) {
        if ($end == $listener) {
            $select->add(scalar $listener->accept);
        } elsif (!sysread $end, my $data, 65536) {
            close_both($end);
        } elsif ($other{$end}) {
            syswrite $other{$end}, $data;
        } else {
            first_words($end, $data);
        }
    }
}
