package main

import (
	"context"
	"fmt"
	"net/http"

	"gatehouse.example/client/api"
	"github.com/google/uuid"
)

// The client that oapi-codegen generates.
type oapiCodegen struct{ client *api.ClientWithResponses }

var background = context.Background()

// Every answer that the client reads.
type answer interface{ StatusCode() int }

func succeeded(answer answer, err error) error {
	if err == nil && answer.StatusCode() >= 300 {
		return fmt.Errorf("status %d", answer.StatusCode())
	}
	return err
}

func bearer(token string) api.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
}

func basic(client credentials) api.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.SetBasicAuth(client.id, client.secret)
		return nil
	}
}

func (c oapiCodegen) register(username, password string) error {
	body := api.CreateUser{Username: username, Email: "oapi-codegen@example.com", Password: password}
	return succeeded(c.client.RegisterWithResponse(background, body))
}

func (c oapiCodegen) login(username, password string) (tokens, error) {
	transport := api.LoginUserTransport("bearer")
	body := api.LoginUser{Username: username, Password: password, Transport: &transport}
	answer, err := c.client.LoginWithResponse(background, body)
	if err := succeeded(answer, err); err != nil {
		return tokens{}, err
	}
	return tokens{answer.JSON200.AccessToken, *answer.JSON200.RefreshToken}, nil
}

func (c oapiCodegen) userID(token string) (int, error) {
	answer, err := c.client.GetMeWithResponse(background, bearer(token))
	if err := succeeded(answer, err); err != nil {
		return 0, err
	}
	return answer.JSON200.Id, nil
}

func (c oapiCodegen) currentSession(token string) (string, error) {
	answer, err := c.client.ListSessionsWithResponse(background, bearer(token))
	if err := succeeded(answer, err); err != nil {
		return "", err
	}
	for _, session := range answer.JSON200.Items {
		if session.Current {
			return session.Id.String(), nil
		}
	}
	return "", fmt.Errorf("no session is the current one")
}

func (c oapiCodegen) isGood(token string) (bool, error) {
	answer, err := c.client.AuthorizeWithResponse(background, bearer(token))
	if err == nil && answer.ApplicationproblemJSON401 != nil {
		return false, nil
	}
	err = succeeded(answer, err)
	return err == nil, err
}

func (c oapiCodegen) logout(token, refreshToken string) error {
	body := api.LogoutUser{}
	if refreshToken != "" {
		body.RefreshToken = &refreshToken
	}
	return succeeded(c.client.LogoutWithResponse(background, body, bearer(token)))
}

func (c oapiCodegen) endSession(token, id string) error {
	return succeeded(c.client.EndSessionWithResponse(background, uuid.MustParse(id), bearer(token)))
}

func (c oapiCodegen) endOtherSessions(token string) error {
	return succeeded(c.client.EndOtherSessionsWithResponse(background, bearer(token)))
}

func (c oapiCodegen) changePassword(token, old, new string) error {
	body := api.ChangePassword{CurrentPassword: old, NewPassword: new}
	return succeeded(c.client.ChangePasswordWithResponse(background, body, bearer(token)))
}

func (c oapiCodegen) deleteMe(token, password string) error {
	return succeeded(c.client.DeleteMeWithResponse(background, api.DeleteUser{Password: password}, bearer(token)))
}

func (c oapiCodegen) endUserSessions(admin string, user int) error {
	return succeeded(c.client.EndUserSessionsWithResponse(background, user, bearer(admin)))
}

func (c oapiCodegen) revokeSessions(admin string, user int) error {
	body := api.RevokeSessions{UserIds: &[]int{user}}
	return succeeded(c.client.RevokeSessionsWithResponse(background, body, bearer(admin)))
}

func (c oapiCodegen) disableUser(admin string, user int, isDisabled bool) error {
	body := api.AdminUpdateUser{IsDisabled: &isDisabled}
	return succeeded(c.client.UpdateUserWithResponse(background, user, body, bearer(admin)))
}

func (c oapiCodegen) deleteUser(admin string, user int) error {
	return succeeded(c.client.DeleteUserWithResponse(background, user, bearer(admin)))
}

func (c oapiCodegen) createClient(admin, name string) (credentials, error) {
	answer, err := c.client.CreateServiceClientWithResponse(background, api.CreateServiceClient{Name: name}, bearer(admin))
	if err := succeeded(answer, err); err != nil {
		return credentials{}, err
	}
	created := answer.JSON201
	return credentials{created.Id.String(), created.ClientSecret, created.Secrets[0].Id.String()}, nil
}

func (c oapiCodegen) addSecret(admin string, client credentials) (credentials, error) {
	answer, err := c.client.CreateServiceClientSecretWithResponse(background, uuid.MustParse(client.id), bearer(admin))
	if err := succeeded(answer, err); err != nil {
		return credentials{}, err
	}
	return credentials{client.id, answer.JSON201.ClientSecret, answer.JSON201.Id.String()}, nil
}

func (c oapiCodegen) clientToken(client credentials) (string, error) {
	body := api.ClientTokenRequest{GrantType: "client_credentials"}
	answer, err := c.client.IssueClientTokenWithFormdataBodyWithResponse(background, body, basic(client))
	if err == nil && answer.JSON401 != nil {
		return "", errRefused
	}
	if err := succeeded(answer, err); err != nil {
		return "", err
	}
	return answer.JSON200.AccessToken, nil
}

func (c oapiCodegen) revokeToken(client credentials, token string) error {
	body := api.RevocationRequest{Token: token}
	return succeeded(c.client.RevokeTokenWithFormdataBodyWithResponse(background, body, basic(client)))
}

func (c oapiCodegen) endSecret(admin string, client credentials) error {
	id, secret := uuid.MustParse(client.id), uuid.MustParse(client.secretID)
	return succeeded(c.client.EndServiceClientSecretWithResponse(background, id, secret, bearer(admin)))
}

func (c oapiCodegen) disableClient(admin string, client credentials, isDisabled bool) error {
	body := api.UpdateServiceClient{IsDisabled: &isDisabled}
	return succeeded(c.client.UpdateServiceClientWithResponse(background, uuid.MustParse(client.id), body, bearer(admin)))
}

func (c oapiCodegen) deleteClient(admin string, client credentials) error {
	return succeeded(c.client.DeleteServiceClientWithResponse(background, uuid.MustParse(client.id), bearer(admin)))
}
