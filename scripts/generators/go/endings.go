package main

import "fmt"

// What both generated clients can do, in the same words. Without a token none is sent.
type gatehouse interface {
	register(username, password string) error
	login(username, password string) (tokens, error)
	userID(token string) (int, error)
	currentSession(token string) (string, error)
	// Whether the token is good; an answer that is neither yes nor a refusal of the token is an error.
	isGood(token string) (bool, error)

	logout(token, refreshToken string) error
	endSession(token, id string) error
	endOtherSessions(token string) error
	changePassword(token, old, new string) error
	deleteMe(token, password string) error

	endUserSessions(admin string, user int) error
	revokeSessions(admin string, user int) error
	disableUser(admin string, user int, isDisabled bool) error
	deleteUser(admin string, user int) error

	createClient(admin, name string) (credentials, error)
	addSecret(admin string, client credentials) (credentials, error)
	clientToken(client credentials) (string, error)
	revokeToken(client credentials, token string) error
	endSecret(admin string, client credentials) error
	disableClient(admin string, client credentials, isDisabled bool) error
	deleteClient(admin string, client credentials) error
}

type tokens struct{ access, refresh string }

type credentials struct{ id, secret, secretID string }

// Ends sessions, accounts and clients in every way there is: after each the token that was good before is refused.
func endings(service gatehouse, username, administrator, administratorsPassword string) {
	const next = "another long and quiet evening"
	start := func(username, password string) tokens {
		started, err := service.login(username, password)
		check(err == nil, "login", err)
		return started
	}
	ends := func(what, token string, end func() error) {
		isGood, err := service.isGood(token)
		check(isGood, what+": the token before", err)
		err = end()
		check(err == nil, what, err)
		isGood, err = service.isGood(token)
		check(err == nil && !isGood, what+": the token afterwards", err)
	}
	signUp := func(password string) int {
		err := service.register(username, password)
		check(err == nil, "registration", err)
		id, err := service.userID(start(username, password).access)
		check(err == nil, "who it is", err)
		return id
	}
	admin := start(administrator, administratorsPassword).access
	user := signUp(password)

	session := start(username, password)
	ends("logout", session.access, func() error { return service.logout(session.access, "") })
	session = start(username, password)
	ends("logout by the refresh token", session.access, func() error { return service.logout("", session.refresh) })
	session = start(username, password)
	other := start(username, password).access
	ends("the end of a session", session.access, func() error {
		id, err := service.currentSession(session.access)
		if err != nil {
			return err
		}
		return service.endSession(other, id)
	})
	session = start(username, password)
	ends("the end of the other sessions", session.access, func() error { return service.endOtherSessions(other) })
	session = start(username, password)
	ends("a change of the password", session.access, func() error { return service.changePassword(session.access, password, next) })

	session = start(username, next)
	ends("the end of a user's sessions", session.access, func() error { return service.endUserSessions(admin, user) })
	session = start(username, next)
	ends("the end of many sessions", session.access, func() error { return service.revokeSessions(admin, user) })
	session = start(username, next)
	ends("disabling a user", session.access, func() error { return service.disableUser(admin, user, true) })
	err := service.disableUser(admin, user, false)
	check(err == nil, "enabling a user", err)
	session = start(username, next)
	ends("deleting one's account", session.access, func() error { return service.deleteMe(session.access, next) })
	user = signUp(next)
	session = start(username, next)
	ends("deleting a user", session.access, func() error { return service.deleteUser(admin, user) })

	first, err := service.createClient(admin, username)
	check(err == nil, "a client", err)
	second, err := service.addSecret(admin, first)
	check(err == nil, "a second secret", err)
	issue := func(client credentials) string {
		token, err := service.clientToken(client)
		check(err == nil, "a client's token", err)
		return token
	}
	token := issue(first)
	ends("revoking a client's token", token, func() error { return service.revokeToken(first, token) })
	issue(first)
	err = service.endSecret(admin, first)
	check(err == nil, "the end of a secret", err)
	_, err = service.clientToken(first)
	check(err == errRefused, "the end of a secret: the secret afterwards", err)
	ends("disabling a client", issue(second), func() error { return service.disableClient(admin, second, true) })
	err = service.disableClient(admin, second, false)
	check(err == nil, "enabling a client", err)
	ends("deleting a client", issue(second), func() error { return service.deleteClient(admin, second) })
}

var errRefused = fmt.Errorf("refused")
