// Drives the clients that oapi-codegen and ogen generate against a running service: its URL, and an administrator's name and password.
package main

import (
	"context"
	"log"
	"os"

	"gatehouse.example/client/api"
)

const password = "a long and quiet evening"

func main() {
	log.SetFlags(0)
	url, administrator, administratorsPassword := os.Args[1], os.Args[2], os.Args[3]
	client, err := api.NewClientWithResponses(url)
	check(err == nil, "a client", err)
	firstSteps(client)
	endings(oapiCodegen{client}, "oapi-codegen", administrator, administratorsPassword)
	endings(ogenClient{url}, "ogen", administrator, administratorsPassword)
}

// Registers, logs in by bearer and asks who it is.
func firstSteps(client *api.ClientWithResponses) {
	ctx := context.Background()
	created, err := client.RegisterWithResponse(ctx, api.CreateUser{Username: "gopher", Email: "gopher@example.com", Password: password})
	check(err == nil && created.JSON201 != nil, "registration", err)

	refused, err := client.LoginWithResponse(ctx, api.LoginUser{Username: "gopher", Password: "another evening"})
	check(err == nil && refused.ApplicationproblemJSON401.Code == "invalid_credentials", "a wrong password", err)

	transport := api.LoginUserTransport("bearer")
	login, err := client.LoginWithResponse(ctx, api.LoginUser{Username: "gopher", Password: password, Transport: &transport})
	check(err == nil && login.JSON200 != nil && login.JSON200.RefreshToken != nil, "login", err)

	me, err := client.GetMeWithResponse(ctx, bearer(login.JSON200.AccessToken))
	check(err == nil && me.JSON200 != nil && me.JSON200.Username == "gopher" && me.JSON200.FirstName == nil, "me", err)
	sessions, err := client.ListSessionsWithResponse(ctx, bearer(login.JSON200.AccessToken))
	check(err == nil && sessions.JSON200 != nil && sessions.JSON200.Items[0].Current, "sessions", err)
	author, err := client.AuthorizeAuthorWithResponse(ctx, bearer(login.JSON200.AccessToken))
	check(err == nil && author.StatusCode() == 403, "the door of authors", err)

	// The one body that may be absent.
	renewed, err := client.RefreshWithResponse(ctx, api.RefreshToken{RefreshToken: *login.JSON200.RefreshToken})
	check(err == nil && renewed.JSON200 != nil, "refresh", err)

	unknown, err := client.GetMeWithResponse(ctx, bearer("none"))
	check(err == nil && unknown.ApplicationproblemJSON401 != nil, "a token that is none", err)
}

func check(ok bool, what string, err error) {
	if !ok {
		log.Fatalf("%s: not as it should be (%v)", what, err)
	}
}
