<?php
// Publishes one event. PHP 7.4 or newer with its openssl extension. Options: see README.md of client_example.
declare(strict_types=1);

/** The status of the answer, and the seconds after which to come back. */
function post(string $body): array
{
    $url = (getenv('ROOMCAST_PRODUCER_URL') ?: 'https://localhost:2053') . '/publish';
    $tls = ['verify_peer' => true, 'verify_peer_name' => true, 'cafile' => getenv('ROOMCAST_CA'),
        'local_cert' => getenv('ROOMCAST_CERT'), 'local_pk' => getenv('ROOMCAST_KEY')];
    $http = ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => $body,
        'timeout' => 10, 'ignore_errors' => true, 'follow_location' => 0];
    $answer = fopen($url, 'r', false, stream_context_create(['http' => $http, 'ssl' => array_filter($tls)]));
    if ($answer === false) {
        fwrite(STDERR, "not published: no answer from $url\n");
        exit(1);
    }
    $headers = stream_get_meta_data($answer)['wrapper_data'];
    $retryAfter = preg_grep('/^retry-after:/i', $headers);
    $seconds = trim(explode(':', end($retryAfter) ?: ':1')[1]); // missing, or a date: after one
    return [(int) explode(' ', $headers[0])[1], ctype_digit($seconds) ? (int) $seconds : 1];
}

function publish(string $target, array $event): void
{
    $body = json_encode(['target_id' => $target] + $event, JSON_THROW_ON_ERROR);
    for ($attempt = 1; ; $attempt++) {
        [$status, $retryAfter] = post($body);
        if ($status === 200) {
            return;
        }
        if (!in_array($status, [429, 503], true) || $attempt === 5) {
            fwrite(STDERR, "not published: the gateway answered $status\n");
            exit(1);
        }
        sleep($retryAfter);
    }
}

publish(getenv('ROOMCAST_TARGET'), ['message' => getenv('ROOMCAST_MESSAGE')]);
