// Publishes one event. Go 1.19 or newer, standard library. Options: see README.md of client_example.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatalln("not published:", err)
	}
	return value
}

// client is one for the life of the program: connections are kept from one event to the next.
func client() *http.Client {
	config := &tls.Config{}
	if path := os.Getenv("ROOMCAST_CA"); path != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(must(os.ReadFile(path)))
	}
	if path := os.Getenv("ROOMCAST_CERT"); path != "" {
		config.Certificates = []tls.Certificate{must(tls.LoadX509KeyPair(path, os.Getenv("ROOMCAST_KEY")))}
	}
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: config},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func publish(client *http.Client, url string, event map[string]any) {
	body := must(json.Marshal(event))
	for attempt := 1; ; attempt++ {
		answer := must(client.Post(url+"/publish", "application/json", bytes.NewReader(body)))
		io.Copy(io.Discard, answer.Body) // a body that is not read costs the connection
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return
		}
		passes := answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable
		if !passes || attempt == 5 {
			log.Fatalln("not published: the gateway answered", answer.StatusCode)
		}
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil {
			seconds = 1 // not told, or told as a date
		}
		time.Sleep(time.Duration(seconds) * time.Second)
	}
}

func main() {
	url := os.Getenv("ROOMCAST_PRODUCER_URL")
	if url == "" {
		url = "https://localhost:2053"
	}
	target, message := os.Getenv("ROOMCAST_TARGET"), os.Getenv("ROOMCAST_MESSAGE")
	publish(client(), url, map[string]any{"target_id": target, "message": message})
}
